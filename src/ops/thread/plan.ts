import * as v from "valibot";
import { table } from "../../base/table.ts";
import { block, cell, paint } from "../../base/text.ts";
import { op } from "../op.ts";
import {
  choiceFields,
  choiceObject,
  droppedLines,
  droppedObject,
  flagsOf,
  mayWriteHome,
  newName,
  rareSettings,
} from "../settings.ts";
import { callerName } from "../verdict.ts";

export default op({
  name: "thread.plan",
  cli: "new --dry-run",
  group: "plan",
  task: "start",
  summary: "Show what `new` would create: each value and its source",
  about:
    "Changes nothing and needs no Codex. Settings that are not shown are left to Codex's own configuration. `dropped` lists values of a repository's file that are not used, because the repository is not under [policy] trusted.",
  intent: "read",
  repeat: "safe",
  rare: rareSettings,
  input: v.strictObject({
    name: newName,
    ...choiceFields,
    may_write_home: mayWriteHome,
  }),
  output: v.object({
    title: v.string(),
    handle: v.nullable(v.string()),
    presets: v.array(v.string()),
    /** `caller`, `defaults`, `repository defaults`, `preset NAME` or `flag`. */
    choices: v.array(choiceObject),
    dropped: v.array(droppedObject),
  }),
  fails: ["conflict"],
  examples: [
    {
      given: "a configuration",
      input: { name: "docs", preset: ["reviewer"], sandbox: "workspace-write" },
      output: { title: "repo: docs", handle: "repo-docs", presets: ["reviewer"], dropped: [] },
    },
    { given: "a configuration", input: { name: "docs", preset: ["revewer"] }, error: "usage" },
    { given: "two threads", input: { name: "docs", cwd: "/repo" }, error: "conflict" },
  ],
  async run({ name, preset, ...flags }, { core, caller }) {
    const { draft, handle, presets, choices, dropped } = await core.checkedPlan({
      name,
      presets: preset ?? [],
      flags: flagsOf(flags),
      cwd: caller.cwd,
      key: null,
      created_by: callerName(caller),
    });
    const { name: title } = draft;
    return { title, handle, presets: presets.slice(), choices: choices.slice(), dropped: dropped.slice() };
  },
  view({ title, handle, choices, dropped }, look) {
    const shown = (value: unknown) => cell(typeof value === "string" ? value : JSON.stringify(value), 60);
    const rows = choices.map(({ field, value, source }) => [cell(field), shown(value), cell(source)]);
    const lines = [
      `${paint("bold", cell(title))}${handle === null ? "" : ` @${handle}`}`,
      table(rows, look, { header: ["what", "value", "from"], shrink: 1 }),
    ];
    const files = new Set([...choices, ...dropped].map(({ file }) => file).filter((file) => file !== null));
    for (const file of files) lines.push(paint("dim", block(`read: ${file}`)));
    return [...lines, ...droppedLines(dropped)].join("\n");
  },
});
