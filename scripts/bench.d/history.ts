/** A large history of the same text in two places: our index, and the rollouts of a Codex home. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { macrotask } from "../../src/base/macrotask.ts";
import { newId, systemRandom } from "../../src/base/random.ts";
import type { CodexAgent } from "../../src/codex/agent.ts";
import type { IndexedItem } from "../../src/core/model/ports/indexed.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { TestWorld } from "../../test/world/world.ts";
import { until } from "./measure.ts";

export interface History {
  threads: number;
  turnsPerThread: number;
  textBytes: number;
  /** The long message of each turn, by its number among all. */
  text(n: number): string;
}

/** Each message holds the first, one in 500 the second, one of all the third, none the last. */
export const words = { everywhere: "everywhere", seldom: "seldom", once: "once7077", none: "nowhere0" };

/** 0.2 to 3.8 KB of words, 2 KB in the mean, the frequent ones frequent as in any language; the same for the same number. */
export function textOf(n: number): string {
  const chance = chances(n);
  const parts = [words.everywhere];
  if (n % 500 === 0) parts.push(words.seldom);
  if (n === 7077) parts.push(words.once);
  const enough = 200 + chance() * 3600;
  for (let chars = 0; chars < enough; ) {
    const word = `w${Math.floor(chance() ** 3 * 60_000).toString(36)}`;
    parts.push(word);
    chars += word.length + 1;
  }
  return parts.join(" ");
}

/** In a text without spaces: a part of each, of one in 500, of one of all, of none; and one of all that is one character. */
export const parts = { everywhere: "部署", seldom: "很少", once: "龘靐", none: "靐龘", onceAlone: "龘" };

/** As `textOf`, in Chinese: 70 to 1,270 characters, 2 KB in the mean, in words of one to three. */
export function clausesOf(n: number): string {
  const chance = chances(n);
  const clauses = [parts.everywhere];
  if (n % 500 === 0) clauses.push(parts.seldom);
  if (n === 7077) clauses.push(parts.once);
  const enough = 70 + chance() * 1200;
  for (let chars = 0; chars < enough; ) {
    const word = chineseWord(Math.floor(chance() ** 4 * 30_000));
    clauses.push(chance() < 0.12 ? `${word}，` : word);
    chars += word.length;
  }
  return clauses.join("");
}

/** The first of them are of one character, as the most frequent are. */
export function chineseWord(n: number): string {
  const chance = chances(n);
  const length = n < 60 ? 1 : chance() < 0.8 ? 2 : 3;
  return Array.from({ length }, () => String.fromCharCode(0x4e00 + Math.floor(chance() ** 1.7 * 3500))).join(
    "",
  );
}

/** The same for the same number. */
function chances(n: number): () => number {
  let state = (n + 1) * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const question = "a question";

const turnsPerCommit = 100;

/** Lanes that are wholly indexed, in transactions of the size that a sync makes. */
export async function fillIndex(world: TestWorld, refs: readonly Ref[], { turnsPerThread, text }: History) {
  const from = Date.now() - refs.length * turnsPerThread * 1000;
  for (const [at, lane] of refs.entries()) {
    const turns = Array.from({ length: turnsPerThread }, (_, turn) =>
      turnOf(lane, turn, from + (at * turnsPerThread + turn) * 1000, text(at * turnsPerThread + turn)),
    );
    for (let done = 0; done < turns.length; done += turnsPerCommit) {
      world.journal.note(() => {
        for (const item of turns.slice(done, done + turnsPerCommit).flat()) world.store.items.put(item);
      });
      await macrotask();
    }
    world.store.items.setSync(lane, { synced_at: Date.now(), top_turn: "turn-0" });
  }
}

function turnOf(lane: Ref, turn: number, at: number, text: string): IndexedItem[] {
  const base = { lane, turn_id: `turn-${turn}`, at };
  return [
    { ...base, item_id: "u", type: "user_message", text: question },
    { ...base, item_id: "a", type: "agent_message", text },
  ];
}

/** Copies of one real thread's rollout, its turn repeated with other words; Codex has to be told of them yet. */
export async function fillCodex(
  agent: CodexAgent,
  codexHome: string,
  cwd: string,
  { threads, turnsPerThread, text }: History,
): Promise<{ folder: string; rollouts: { id: string; rollout_path: string }[] }> {
  const { thread } = await agent.startThread({ cwd });
  await agent.nameThread(thread.id, "template");
  const { turn_id } = await agent.startTurn({ thread_id: thread.id, text: question, client_id: "template" });
  await until("the template's turn is over", async () => {
    const { turns } = await agent.listTurns(thread.id, { cursor: null, limit: 1 });
    return turns[0]?.status === "completed" ? true : undefined;
  });
  const { path } = await agent.readThread(thread.id);
  const lines = (await Bun.file(path!).text()).trimEnd().split("\n");
  const first = lines.findIndex((line) => line.includes(turn_id));
  const [head, turn] = [lines.slice(0, first).join("\n"), lines.slice(first).join("\n")];
  const folder = join(codexHome, "sessions/2026/01/02");
  mkdirSync(folder, { recursive: true });
  const rollouts: { id: string; rollout_path: string }[] = [];
  for (let at = 0; at < threads; at++) {
    const id = newId(Date.now(), systemRandom);
    const parts = [head.replaceAll(thread.id, id)];
    for (let n = 0; n < turnsPerThread; n++)
      parts.push(
        turn
          .replaceAll(thread.id, id)
          .replaceAll(turn_id, newId(Date.now(), systemRandom))
          .replaceAll(`ok: ${question}`, text(at * turnsPerThread + n)),
      );
    const rollout_path = join(folder, `rollout-2026-01-02T03-04-05-${id}.jsonl`);
    writeFileSync(rollout_path, `${parts.join("\n")}\n`);
    rollouts.push({ id, rollout_path });
  }
  return { folder, rollouts };
}
