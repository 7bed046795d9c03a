import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { table } from "../../base/table.ts";
import { ago, block, cell } from "../../base/text.ts";
import type { EventView } from "../../contract/events.ts";
import { count, flag } from "../fields.ts";
import { op } from "../op.ts";

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
  output: v.object({ calls: v.array(row), lines: v.optional(v.array(v.string())) }),
  examples: [{ given: "nothing", input: {}, output: { calls: [] } }],
  streams: ({ follow }) => follow,
  async run({ limit, follow, raw }, { core, host, emit, signal }) {
    if (raw) return { calls: [] as Row[], lines: host.logTail(limit) };
    if (!follow) return { calls: core.audited(limit).map(rowOf) };
    await core.follow({ kinds: ["op.called"] }, null, (event) => emit(rowOf(event)), signal);
    return { calls: [] as Row[] };
  },
  view({ calls, lines }, look) {
    if (lines) return block(lines.join("\n"));
    if (calls.length === 0) return "no calls yet";
    return table(
      calls.map((call) => cells(call, look)),
      look,
      { header: ["when", "caller", "op", "thread", "outcome"], shrink: 1 },
    );
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
