/** Every promise about what was accepted, counted in the threads' own history. */
import type { FaultRig } from "../../support/fault.ts";
import type { History } from "../../support/fault-history.ts";
import type { MessageSeen } from "../../support/fault-registry.ts";
import { careful, type Senders } from "./send.ts";

export interface Verdict {
  messages: number;
  done: number;
  failed: number;
  cancelled: number;
  unsure: number;
  lost: number;
  doubled: number;
  /** Delivered only by a second attempt or a later one. */
  again: number;
  threads: number;
}

export function check(rig: FaultRig, said: Senders, history: History, carefulRef: string): Verdict {
  const messages = rig.registry.messages();
  const wrong: string[] = [];
  const times = occurrences(history);
  const verdict = { ...tally(messages), lost: 0, doubled: 0, threads: rig.registry.lanes().length };
  for (const message of messages) {
    const stands = times.get(message.id) ?? 0;
    const says = `${message.mode} ${message.id} is ${message.state}/${message.outcome}, attempt ${message.attempt}, and stands ${stands} times (${message.error})`;
    if (stands > 1) {
      verdict.doubled++;
      wrong.push(`doubled: ${says}`);
    } else if (message.state === "done" && stands === 0) {
      verdict.lost++;
      wrong.push(`lost: ${says}`);
    } else if (/failed|cancelled/.test(message.state) && stands > 0) wrong.push(`a lie: ${says}`);
    else if (message.state === "unsure") wrong.push(`unsure: ${says}`);
  }
  wrong.push(...unknown(times, messages), ...receipts(said, messages));
  wrong.push(...order(rig, history, messages), ...orphans(rig, said, history), ...loosened(rig, carefulRef));
  if (wrong.length > 0) throw new Error(`${wrong.length} promises broken:\n${wrong.join("\n")}`);
  return verdict;
}

function tally(messages: MessageSeen[]) {
  const of = (state: string) => messages.filter((message) => message.state === state).length;
  return {
    messages: messages.length,
    done: of("done"),
    failed: of("failed"),
    cancelled: of("cancelled"),
    unsure: of("unsure"),
    again: messages.filter(({ state, attempt }) => state === "done" && attempt > 1).length,
  };
}

function occurrences(history: History): Map<string, number> {
  const times = new Map<string, number>();
  const ids = [...[...history.texts.values()].flat(), ...history.injected];
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1);
  return times;
}

/** A text in a thread that nobody accepted. */
function unknown(times: Map<string, number>, messages: MessageSeen[]): string[] {
  const known = new Set(messages.map(({ id }) => id));
  // Injected lines hold Codex's own items too; ours are told by the shape of their ids.
  const shape = messages[0]?.id.slice(0, 4) ?? "";
  return [...times.keys()]
    .filter((id) => id.startsWith(shape) && !known.has(id))
    .map((id) => `nobody accepted ${id}`);
}

/** One message for each key that was answered with a receipt, none for one that was refused. */
function receipts(said: Senders, messages: MessageSeen[]): string[] {
  const byKey = new Map(messages.filter(({ key }) => key !== null).map(({ key, id }) => [key, id]));
  const ids = new Set(messages.map(({ id }) => id));
  const wrong: string[] = [];
  for (const [key, receipt] of said.accepted) {
    const isThere = key.startsWith("new-") ? ids.has(receipt) : byKey.get(key) === receipt;
    if (!isThere) wrong.push(`${key} was accepted as ${receipt}, and the registry has ${byKey.get(key)}`);
  }
  for (const key of said.refused) if (byKey.has(key)) wrong.push(`${key} was refused and is stored`);
  if (messages.length !== said.accepted.size)
    wrong.push(`${said.accepted.size} were accepted and ${messages.length} are stored`);
  return wrong;
}

/** Queued messages of a thread stand in the order in which they were accepted. */
function order(rig: FaultRig, history: History, messages: MessageSeen[]): string[] {
  const queued = messages.filter(({ mode }) => mode === "queue").map(({ id }) => id);
  const place = new Map(queued.map((id, at) => [id, at]));
  return rig.registry.lanes().flatMap(({ ref, thread_id }) => {
    const here = (history.texts.get(thread_id ?? "") ?? []).flatMap((id) => place.get(id) ?? []);
    return here.some((at, next) => next > 0 && at < here[next - 1]!) ? [`out of order: ${ref}: ${here}`] : [];
  });
}

/** Each key made one thread, and Codex has none that no lane knows. */
function orphans(rig: FaultRig, said: Senders, history: History): string[] {
  const lanes = rig.registry.lanes();
  const ours = new Set(lanes.map(({ thread_id }) => thread_id));
  const wrong = [...history.stored].filter((id) => !ours.has(id)).map((id) => `an orphan left a file: ${id}`);
  for (const { id, name } of history.listed)
    if (!ours.has(id)) wrong.push(`an orphan is listed: ${id} ${name}`);
  for (const { ref, thread_id, title } of lanes) {
    if (thread_id === null) wrong.push(`${ref} has no thread`);
    const listed = history.listed.find(({ id }) => id === thread_id);
    if (listed && listed.name !== title) wrong.push(`${ref} is ${title}, and Codex names it ${listed.name}`);
  }
  for (const [key, ref] of said.made) {
    const made = lanes.filter(({ create_key }) => create_key === key);
    if (made.length !== 1 || made[0]!.ref !== ref)
      wrong.push(`${key} made ${made.map((lane) => lane.ref)}, not ${ref}`);
  }
  return wrong;
}

/** Every request of the careful thread to the model carried its sandbox and its instructions. */
function loosened(rig: FaultRig, ref: string): string[] {
  const lane = rig.registry.lanes().find((one) => one.ref === ref);
  const asked = rig.provider.requests.filter(({ body }) => body.prompt_cache_key === lane?.thread_id);
  if (asked.length === 0) return ["the careful thread never asked the model"];
  return asked.flatMap(({ body }) => {
    const words = JSON.stringify(body.input);
    const isTold =
      words.includes(careful.developer_instructions) && words.includes("`sandbox_mode` is `read-only`");
    return isTold && !words.includes("danger-full-access")
      ? []
      : [`the careful thread was loosened: ${words.slice(0, 3000)}`];
  });
}
