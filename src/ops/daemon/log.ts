import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, block, cell } from "../../base/text.ts";
import type { EventView } from "../../contract/events.ts";
import { count, flag } from "../fields.ts";
import { op } from "../op.ts";
import { largerLimit } from "../views.ts";

const row = v.object({
  at: v.string(),
  caller: v.nullable(v.string()),
  op: v.string(),
  thread: v.nullable(v.string()),
  receipt: v.nullable(v.string()),
  outcome: v.string(),
});
type Row = v.InferOutput<typeof row>;

export default op({
  name: "daemon.log",
  cli: "daemon log",
  group: "daemon",
  task: "maintain",
  summary: "Show who called which operation",
  intent: "read",
  repeat: "safe",
  start: "never",
  input: v.strictObject({
    limit: v.optional(count("at most this many", limits.input.pageMax), 20),
    follow: v.optional(flag(v.boolean(), "stream new calls", { cli_only: true }), false),
    raw: v.optional(flag(v.boolean(), "show the daemon's log file instead"), false),
  }),
  output: v.object({
    calls: v.array(row),
    lines: v.optional(v.array(v.string())),
    /** There are older ones. */
    truncated: v.boolean(),
  }),
  examples: [{ given: "nothing", input: {}, output: { calls: [] } }],
  streams: ({ follow }) => follow,
  async run({ limit, follow, raw }, { core, host, emit, signal }) {
    if (raw) {
      const lines = host.logTail(limit + 1);
      return { calls: [] as Row[], lines: lines.slice(-limit), truncated: lines.length > limit };
    }
    if (!follow) {
      const calls = core.audited(limit + 1).map(rowOf);
      return { calls: calls.slice(0, limit), truncated: calls.length > limit };
    }
    await core.follow({ kinds: ["op.called"] }, null, (event) => emit(rowOf(event)), signal);
    return { calls: [] as Row[], truncated: false };
  },
  view({ calls, lines, truncated }, look) {
    const older = truncated ? largerLimit(limits.input.pageMax) : "";
    if (lines) return `${block(lines.join("\n"))}${older}`;
    if (calls.length === 0) return "no calls yet";
    const header = ["when", "caller", "op", "thread", "outcome"];
    const rows = calls.map((call) => cells(call, look));
    return `${table(rows, look, { header, shrink: 1 })}${older}`;
  },
  viewRow: (call, look) => cells(call as Row, look).join("  "),
});

const cells = (call: Row, look: Parameters<typeof ago>[1]) => [
  ago(call.at, look),
  cell(call.caller),
  cell(call.op),
  cell(call.thread),
  cell(call.outcome),
];

function rowOf({ at, thread, receipt, data }: EventView): Row {
  const word = (name: string) => (typeof data[name] === "string" ? data[name] : null);
  return {
    at,
    caller: word("caller"),
    op: word("op") ?? "unknown",
    thread,
    receipt,
    outcome: word("outcome") ?? "unknown",
  };
}
