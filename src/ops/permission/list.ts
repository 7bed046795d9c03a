import * as v from "valibot";
import { table } from "../../base/table.ts";
import { cell, paint } from "../../base/text.ts";
import { flag, path } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "permission.list",
  cli: "permissions",
  group: "thread",
  task: "look",
  summary: "List Codex's permission profiles",
  about: "new --permission-profile takes the id of one that is allowed.",
  intent: "read",
  repeat: "safe",
  rare: ["cwd", "refresh"],
  input: v.strictObject({
    cwd: v.optional(path("the directory; default: the caller's")),
    refresh: v.optional(flag(v.boolean(), "read them from Codex (--no-refresh: from the registry)"), true),
  }),
  output: v.object({
    cwd: v.string(),
    profiles: v.array(
      v.object({ id: v.string(), description: v.nullable(v.string()), allowed: v.boolean() }),
    ),
    as_of: v.nullable(v.string()),
    source: v.picklist(["live", "registry"]),
  }),
  asksCodex: true,
  examples: [
    {
      given: "nothing",
      input: { cwd: "/repo" },
      output: { source: "live", profiles: [{ id: ":read-only", allowed: true }, { allowed: false }] },
    },
    { given: "Codex is down", input: { refresh: false }, output: { source: "registry", profiles: [] } },
    { given: "nothing", input: { cwd: "/no/such/dir" }, error: "usage" },
    { given: "Codex is down", input: {}, error: "agent_down" },
  ],
  run: ({ cwd, refresh }, { core, caller }) => core.profiles(cwd ?? caller.cwd, refresh),
  view({ profiles, source, cwd }, look) {
    if (profiles.length === 0)
      return source === "registry"
        ? `none known in ${cell(cwd)} yet; to read them from Codex: ${paint("bold", "dispatch permissions")}`
        : "Codex offers no permission profiles";
    const rows = profiles.map(({ id, allowed, description }) => [
      cell(id),
      allowed ? "allowed" : paint("yellow", "not allowed"),
      cell(description),
    ]);
    return table(rows, look, { header: ["profile", "", ""], shrink: 2 });
  },
});
