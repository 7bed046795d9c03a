/** What the child says, from bytes to committed rows. */
import { join } from "node:path";
import { limits } from "../../src/base/limits.ts";
import { lineSplitter } from "../../src/base/lines.ts";
import { incoming } from "../../src/codex/incoming.ts";
import { streamMemory } from "../../src/codex/memory.ts";
import type { Rpc } from "../../src/codex/rpc.ts";
import { sinkOf } from "../../src/core/reconcile/sink.ts";
import { quietLog } from "../../test/support/codex-sink.ts";
import type { TestWorld } from "../../test/world/world.ts";
import { timed } from "./measure.ts";
import { addThread, worldOn } from "./registry.ts";
import { atLeast, type Row } from "./row.ts";

const lanes = 50;
const turnsPerLane = 40;
/** What a pipe holds, and so what one read brings when the child is ahead of us. */
const readBytes = 64 * 1024;

export const ingest: Row = {
  async measure(bench) {
    const world = worldOn(join(bench.folder, "ingest.db"));
    const ids: string[] = [];
    for (let i = 0; i < lanes; i++)
      ids.push(world.store.lanes.get(await addThread(world, `thread ${i}`)).thread_id!);
    const ahead = await feed(world, Buffer.from(turnsOf(ids, turnsPerLane)), readBytes);
    const turn = turnOf(ids[0]!);
    const single = { events: 0, tookMs: 0 };
    for (let i = 0; i < 200; i++) {
      const fed = await feed(world, Buffer.from(turnOf(ids[i % lanes]!)), readBytes);
      single.events += fed.events;
      single.tookMs += fed.tookMs;
    }
    world.store.close();
    return {
      lines: [atLeast("events of Codex ingested", (ahead.events / ahead.tookMs) * 1000, 5000)],
      notes: [
        `${ahead.events} events in ${ahead.lines} lines and ${ahead.batches} transactions: split, parsed, applied and committed; deltas are passed over and not counted`,
        `one turn per read (${(turn.length / 1024).toFixed(1)} KiB): ${Math.round((single.events / single.tookMs) * 1000).toLocaleString("en-US")} events/s`,
      ],
    };
  },
};

async function feed(world: TestWorld, bytes: Uint8Array, readSize: number) {
  const counted = { events: 0, lines: 0, batches: 0, tookMs: 0 };
  const epoch = world.live.epoch()!;
  const sink = sinkOf(world, { onTurnEnd() {}, onUnsettled() {} });
  const heard = incoming({
    rpc: {} as Rpc,
    memory: streamMemory(),
    taps: new Set(),
    log: quietLog,
    batch(events) {
      counted.events += events.length;
      counted.batches++;
      sink.onEvents(epoch, events);
    },
    warned() {},
    garbage() {
      throw new Error("a line of the benchmark's own could not be read");
    },
  });
  let lines: Uint8Array[] = [];
  const splitter = lineSplitter({
    lineBytesMax: limits.wire.lineBytesMax,
    onLine: (line) => lines.push(line),
    onOversize: heard.onOversize,
  });
  counted.tookMs = await timed(async () => {
    for (let at = 0; at < bytes.length; at += readSize) {
      splitter.push(bytes.subarray(at, at + readSize));
      const whole = lines;
      lines = [];
      counted.lines += whole.length;
      await heard.onRead(whole);
    }
  });
  return counted;
}

/** The lines of turns with one command each, as they come from Codex; the threads take turns. */
function turnsOf(threadIds: string[], each: number): string {
  let text = "";
  for (let i = 0; i < each; i++) for (const threadId of threadIds) text += turnOf(threadId);
  return text;
}

function turnOf(threadId: string): string {
  const turnId = crypto.randomUUID();
  const now = Date.now();
  const started = { id: turnId, items: [], status: "inProgress", error: null, startedAt: now / 1000 };
  const user = { type: "userMessage", id: "u", clientId: crypto.randomUUID(), content: textContent("hello") };
  const command = {
    type: "commandExecution",
    id: "c",
    command: "/bin/bash -lc 'ls'",
    cwd: "/",
    status: "completed",
    aggregatedOutput: "a line of output\n".repeat(120),
    exitCode: 0,
  };
  const answer = { type: "agentMessage", id: "a", text: "hello there, friend. ".repeat(10) };
  const item = (what: string, item: object) => ({
    method: `item/${what}`,
    params: { threadId, turnId, item, completedAtMs: now },
  });
  const status = (type: string) => ({
    method: "thread/status/changed",
    params: { threadId, status: { type, activeFlags: [] } },
  });
  const usage = { totalTokens: 1020, inputTokens: 1000, outputTokens: 20 };
  const delta = {
    method: "item/agentMessage/delta",
    params: { threadId, turnId, itemId: "a", delta: "hello " },
  };
  return [
    status("active"),
    { method: "turn/started", params: { threadId, turn: started } },
    item("started", user),
    item("completed", user),
    item("started", { ...command, status: "inProgress", aggregatedOutput: null }),
    item("completed", command),
    item("started", { ...answer, text: "" }),
    ...Array.from({ length: 10 }, () => delta),
    item("completed", answer),
    {
      method: "thread/tokenUsage/updated",
      params: { threadId, turnId, tokenUsage: { total: usage, last: usage } },
    },
    status("idle"),
    {
      method: "turn/completed",
      params: {
        threadId,
        turn: { ...started, items: [answer], status: "completed", completedAt: now / 1000 },
      },
    },
  ]
    .map((line) => `${JSON.stringify({ ...line, emittedAtMs: now })}\n`)
    .join("");
}

function textContent(text: string) {
  return [{ type: "text", text, text_elements: [] }];
}
