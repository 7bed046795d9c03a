/** The callers: two on each thread, and one who makes threads. Each asks again, with its key, until it is answered. */
import type { FaultRig, Told } from "../../support/fault.ts";
import { stringify } from "../../support/provider-script.ts";

/** What a crash must never loosen. */
export const careful = {
  sandbox: "read-only",
  approval_policy: "on-request",
  developer_instructions: "Never touch the blue box.",
} as const;

export interface Sender {
  ref: string;
}

export interface Senders {
  done: Promise<void>;
  /** Key and receipt of everything that was accepted. */
  accepted: Map<string, string>;
  /** Keys of what was refused for good: nothing of it may be stored. */
  refused: string[];
  /** Keys of `new`, and the threads they made. */
  made: Map<string, string>;
  trail: string[];
}

type Mode = "queue" | "send" | "steer" | "steer or queue" | "context" | "interject";
const weights: [Mode, number][] = [
  ["queue", 36],
  ["send", 26],
  ["steer", 9],
  ["steer or queue", 9],
  ["context", 11],
  ["interject", 9],
];

/** Slow enough that most messages meet a kill. */
const paceMs = 2000;

interface Plan {
  messages: number;
  random(): number;
}

export function senders(rig: FaultRig, refs: readonly string[], { messages, random }: Plan): Senders {
  const said = {
    accepted: new Map<string, string>(),
    refused: [] as string[],
    made: new Map<string, string>(),
    trail: [] as string[],
  };
  const threads = Math.ceil(messages / 15);
  let number = 0;

  async function caller(ref: string): Promise<void> {
    while (said.accepted.size < messages) {
      const at = ++number;
      const mode = pick(random);
      const key = `key-${at}`;
      if (random() < 0.4) await rig.tell("queue.release", { thread: ref });
      const input = { thread: ref, text: script(at, random), idempotency_key: key, ...flags(mode) };
      await settle(
        said,
        key,
        mode,
        () => (at % 12 === 0 ? byCommand(rig, input) : rig.tell("message.send", input)),
        (result) => said.accepted.set(key, result.receipt),
      );
      await Bun.sleep(random() * paceMs);
    }
  }

  async function maker(): Promise<void> {
    for (let at = 1; at <= threads; at++) {
      const key = `new-${at}`;
      const text = script(1000_000 + at, random);
      const input = { name: `made ${at}`, cwd: rig.codex.cwd, text, idempotency_key: key };
      await settle(
        said,
        key,
        "new",
        () => rig.tell("thread.new", input),
        (result) => {
          said.made.set(key, result.ref);
          said.accepted.set(key, result.receipt);
        },
      );
      await Bun.sleep(random() * 2 * paceMs);
    }
  }

  const all = [...refs.flatMap((ref) => [caller(ref), caller(ref)]), maker()];
  return { ...said, done: Promise.all(all).then(() => {}) };
}

/** A definite answer, or another try with the same key. */
async function settle(
  said: Pick<Senders, "refused" | "trail">,
  key: string,
  what: string,
  ask: () => Promise<Told>,
  // biome-ignore lint/suspicious/noExplicitAny: the answers of several ops
  accepted: (result: any) => void,
): Promise<void> {
  const end = Date.now() + 60_000;
  for (let tries = 1; ; tries++) {
    const told = await ask();
    const words = "error" in told ? told.error.code : (told.result.state ?? "made");
    said.trail.push(
      `${Date.now() % 1000_000} ${key} ${what}: ${words}${"error" in told ? ` (${told.error.message})` : ""}`,
    );
    if ("result" in told) return accepted(told.result);
    const { code, message } = told.error;
    const isWorthIt =
      code === "agent_down" ||
      code === "daemon_down" ||
      code === "unsure" ||
      (code === "thread_busy" && tries < 4);
    if (!isWorthIt && !/thread_busy|conflict|needs_answer/.test(code))
      throw new Error(`${key}: ${code}: ${message}`);
    if (!isWorthIt) {
      said.refused.push(key);
      return;
    }
    if (Date.now() > end) throw new Error(`${key} was not answered for a minute: ${code}: ${message}`);
    await Bun.sleep(60);
  }
}

/** As a script would: the binary, which starts the daemon by itself when it finds none. */
async function byCommand(rig: FaultRig, input: Record<string, unknown>): Promise<Told> {
  const { thread, text, idempotency_key, ...modes } = input as Record<string, string>;
  const words = Object.keys(modes).map((mode) => `--${mode}`);
  const ran = await rig.run(["send", thread!, text!, "--idempotency-key", idempotency_key!, ...words]);
  return ran.code === 0 ? { result: ran.json } : { error: ran.error };
}

function pick(random: () => number): Mode {
  let left = random() * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [mode, weight] of weights) {
    left -= weight;
    if (left < 0) return mode;
  }
  return "queue";
}

function flags(mode: Mode): Record<string, boolean> {
  if (mode === "send") return {};
  return mode === "steer or queue" ? { steer: true, queue: true } : { [mode]: true };
}

/** Each text is one of its kind; some turns take long enough to be steered, cut or killed. */
function script(at: number, random: () => number): string {
  const roll = random();
  if (roll < 0.45) return `message ${at}`;
  if (roll < 0.75) return stringify([{ say: `message ${at} is told slowly, word by word`, delta_ms: 40 }]);
  if (roll < 0.9) return stringify([{ sleep: 250 }, { say: `message ${at}` }]);
  return stringify([{ shell: "sleep 0.2" }, { say: `message ${at}` }]);
}
