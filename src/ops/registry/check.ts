import * as v from "valibot";
import { codes } from "../../base/error.ts";
import { pairs } from "../../base/table.ts";
import { ago, cell, paint } from "../../base/text.ts";
import { clientOp } from "../op.ts";
import { countsOf, size } from "../registryview.ts";

export default clientOp({
  name: "registry.check",
  cli: "registry check",
  group: "daemon",
  task: "maintain",
  summary: "Check the whole registry, and list its backups",
  about:
    "Changes nothing and needs no daemon. It also works while a daemon runs. The exit status is 16 when the registry " +
    "is damaged.",
  at: "client",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({}),
  output: v.object({
    registry: v.string(),
    bytes: v.number(),
    running: v.boolean(),
    sound: v.boolean(),
    faults: v.array(v.string()),
    schema: v.number(),
    supported: v.number(),
    counts: v.record(v.string(), v.number()),
    codex_home: v.nullable(v.string()),
    backups: v.array(
      v.object({
        path: v.string(),
        kind: v.picklist(["backup", "before", "replaced"]),
        at: v.string(),
        bytes: v.number(),
      }),
    ),
  }),
  fails: ["not_found", "storage"],
  examples: [],
  run: async (_input, ctx) => (await ctx.registry()).check(),
  exit: ({ sound }) => (sound ? 0 : codes.storage.exit),
  view(out, look) {
    const rows: [string, string][] = [
      ["registry", `${cell(out.registry)}, ${size(out.bytes)}${out.running ? ", in use by the daemon" : ""}`],
      [
        "state",
        out.sound
          ? paint("green", "sound")
          : paint("red", `damaged: ${out.faults.map((fault) => cell(fault)).join("; ")}`),
      ],
      [
        "schema",
        out.schema === out.supported
          ? String(out.schema)
          : `${out.schema}; this dispatch uses ${out.supported}`,
      ],
      ["holds", countsOf(out.counts)],
      ["codex home", cell(out.codex_home)],
      ...out.backups.map(({ kind, path, at, bytes }): [string, string] => [
        kinds[kind],
        `${cell(path)}, ${size(bytes)}, ${ago(at, look)}`,
      ]),
    ];
    return pairs(rows, look);
  },
});

const kinds = { backup: "backup", before: "before a migration", replaced: "replaced" } as const;
