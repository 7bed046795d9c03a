/**
 * Calls of dispatch's own tools. Codex waits for each without a limit and nobody else answers it (facts F72), so each
 * is a row, and ends in one of two ways: answered at once or when its work is done, or cancelled with its turn or its
 * child.
 */
import { codes, DispatchError, errorLine, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Change } from "../model/journal.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { RequestFacts } from "../model/ports/request.ts";
import type { Lane, Ref } from "../model/ports/rows.ts";
import type { ThreadToolCall, ToolAnswer, ToolCallRow } from "../model/ports/tool.ts";
import { sendReply } from "./send.ts";

/** Inside the batch's transaction. A call that Codex sends again after a resume (facts F73) keeps its row. */
export function openToolCall(
  deps: CoreDeps,
  change: Change,
  epoch: Epoch,
  facts: RequestFacts,
  lane: Lane & { thread_id: string },
): void {
  const { store, mint } = deps;
  if (store.toolCalls.findByWire(epoch, facts.rpc_id)) return;
  const { rpc_id, turn_id, item_id } = facts;
  const { server: namespace = null, name = "", arguments: given = {} } = facts.asks.tool ?? {};
  const running = store.toolCalls.listRunning();
  let id = mint.ref();
  while (store.toolCalls.find(id)) id = mint.ref();
  const row: ToolCallRow = {
    id,
    lane: lane.ref,
    epoch,
    rpc_id,
    turn_id,
    call_id: item_id,
    tool: toolName(namespace, name),
    state: "running",
    outcome: null,
    asked_at: change.now,
    closed_at: null,
  };
  store.toolCalls.add(row);
  change.append({ kind: "tool.called", lane: lane.ref, turn_id, data: { call: id, tool: row.tool } });
  const refusal = refusalOf(running, lane.ref);
  if (refusal) {
    answer(deps, change, row, refusal);
    return;
  }
  const { thread_id } = lane;
  const cwd = lane.effective?.cwd ?? lane.cwd;
  change.after(() =>
    run(deps, row, { thread_id, turn_id, call_id: item_id, namespace, name, arguments: given, cwd }),
  );
}

/** The model may have made it up. */
function toolName(namespace: string | null, name: string): string {
  const whole = namespace === null ? name : `${namespace}.${name}`;
  return whole.slice(0, limits.tool.nameCharsMax).toWellFormed();
}

function refusalOf(running: readonly ToolCallRow[], ref: Ref): ToolAnswer | undefined {
  const own = running.filter(({ lane }) => lane === ref).length;
  const { runningMax, runningPerThreadMax } = limits.tool;
  if (own < runningPerThreadMax && running.length < runningMax) return undefined;
  const what =
    own < runningPerThreadMax
      ? `dispatch already runs ${running.length} such calls of all threads`
      : `this thread already runs ${own} such calls`;
  const { retry } = codes.thread_busy;
  return {
    outcome: "thread_busy",
    text: `${errorLine({ code: "thread_busy", retry, message: what })}\nhint: call again when one of them has ended`,
  };
}

function run(deps: CoreDeps, row: ToolCallRow, call: ThreadToolCall): void {
  const { live, tools, log } = deps;
  const abort = new AbortController();
  live.toolCalls.set(row.id, abort);
  tools
    .run(call, abort.signal)
    .catch((thrown: unknown): ToolAnswer => {
      log.error("a tool call failed because of a bug", { call: row.id, tool: row.tool, thrown });
      return { outcome: "internal", text: "internal (retry no): this is a bug in dispatch" };
    })
    .then((made) => settle(deps, row, made))
    .catch((thrown: unknown) => log.error("a tool call was not answered", { call: row.id, thrown }));
}

function settle(deps: CoreDeps, row: ToolCallRow, made: ToolAnswer): void {
  const { store, journal, live, log } = deps;
  live.toolCalls.delete(row.id);
  try {
    journal.commit((change) => {
      if (store.toolCalls.find(row.id)?.state === "running") answer(deps, change, row, made);
    });
  } catch (thrown) {
    log.warn("the end of a tool call could not be stored", { call: row.id, reason: errorMessage(thrown) });
    sendReply(deps, row.epoch, replyOf(row, made));
  }
}

function answer(deps: CoreDeps, change: Change, row: ToolCallRow, made: ToolAnswer): void {
  const { id, lane, turn_id, tool } = row;
  const { outcome } = made;
  deps.store.toolCalls.close(id, { state: "answered", outcome, closed_at: change.now });
  change.append({ kind: "tool.answered", lane, turn_id, data: { call: id, tool, outcome } });
  change.after(() => sendReply(deps, row.epoch, replyOf(row, made)));
}

function replyOf({ rpc_id }: ToolCallRow, { text, outcome }: ToolAnswer) {
  return { rpc_id, result: { contentItems: [{ type: "inputText", text }], success: outcome === "ok" } };
}

/** Codex gives the model an answer of its own when the turn or the child ends (facts F72, F73). Inside a transaction. */
export function cancelToolCalls(
  { store, live }: CoreDeps,
  change: Change,
  of: { epoch: Epoch } | { lane: Ref; turn_id: string } | { epoch: Epoch; rpc_id: string | number },
  why: string,
): void {
  const fits = (row: ToolCallRow) =>
    Object.entries(of).every(([field, value]) => row[field as keyof ToolCallRow] === value);
  for (const { id, lane, turn_id, tool } of store.toolCalls.listRunning().filter(fits)) {
    store.toolCalls.close(id, { state: "cancelled", outcome: null, closed_at: change.now });
    change.append({ kind: "tool.cancelled", lane, turn_id, data: { call: id, tool, why } });
    change.after(() => {
      live.toolCalls.get(id)?.abort(new DispatchError("timeout", `the call was cancelled: ${why}`));
      live.toolCalls.delete(id);
    });
  }
}
