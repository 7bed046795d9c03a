/** The situations that examples start from, each made through the product's own verbs. */
import type { Receipt } from "../../src/contract/receipt.ts";
import type { Mode } from "../../src/contract/words.ts";
import { noGuards } from "../../src/core/automation/row.ts";
import { plain } from "../../src/core/delivery/accept.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import { until } from "../support/codex-sink.ts";
import { laptopOf } from "./relay.ts";
import { cli, type TestWorld, testWorld, type WorldOptions } from "./world.ts";

export interface Given {
  world: TestWorld;
  /** What stands for itself in an example: `<request>`, `<receipt>`. */
  words: Record<string, string>;
}

type Holds = (world: TestWorld, ref: Ref) => boolean;

export const situations: Record<string, () => Promise<Given>> = {
  nothing: async () => ({ world: begun(), words: {} }),
  async "Codex is down"() {
    const world = begun();
    await create(world, "docs");
    world.agent.kill();
    return { world, words: {} };
  },
  async "a configuration"() {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as people write it
    const defaults = { prefix: "${DISPATCH.CWD.REPO}: ", effort: "low" };
    const reviewer = { sandbox: "read-only", text: "Review what changed." };
    return { world: begun({ config: { own: { defaults, presets: { reviewer } } } }), words: {} };
  },
  async "an ephemeral thread"() {
    const world = begun();
    const settings = { cwd: "/repo", ephemeral: true };
    const draft = { name: "passing", text: null, goal: null, settings, key: null, created_by: cli.kind };
    await world.engine.core.create(draft, new AbortController().signal);
    return { world, words: {} };
  },
  "a relay": () => relayed({}),
  "a relay that is down": () => relayed({ isDown: true }),
  "a relay that is full": () => relayed({ isFull: true }),
  async "two threads"() {
    const world = begun();
    await create(world, "docs");
    await create(world, "reviewer");
    return { world, words: {} };
  },
  async "used tokens"() {
    const given = await lane(
      '[{"usage":{"input":1000,"cached":100,"output":20,"reasoning":5}},{"say":"x"}]',
      isOver("completed"),
    );
    const { agent, store } = given.world;
    agent.tell({
      kind: "rate_limits",
      limits: {
        limit_id: "codex",
        windows: [{ name: "primary", used_percent: 43, window_minutes: 300, resets_at: null }],
        reached: null,
      },
    });
    await until("the window", () => store.usage.windows().length > 0);
    return given;
  },
  async "two threads of one title"() {
    const world = begun();
    for (let twins = 0; twins < 2; twins++) {
      const { ref } = await create(world, "twin");
      world.store.lanes.set(ref, { handle: null });
    }
    return { world, words: {} };
  },
  async "as many turns as are allowed"() {
    const world = begun({ policy: { maxRunningTurns: 1 } });
    await create(world, "docs");
    const busy = await create(world, "busy");
    await world.engine.core.send(
      busy.ref,
      { ...plain, text: '[{"wait":"go"}]' },
      new AbortController().signal,
    );
    await until("the turn", () => isRunning(world, busy.ref));
    return { world, words: {} };
  },
  async "an interrupted goal"() {
    const given = await lane("hello", isOver("completed"));
    const { engine, agent } = given.world;
    const ref = engine.core.resolve("@docs", null);
    await engine.core.setGoal(ref, { objective: "ship it", status: "active" });
    agent.kill();
    agent.up();
    await until("the goal is interrupted", () => engine.core.view(ref).goal?.resume !== null);
    return given;
  },
  "a finished turn": () => lane("hello", isOver("completed")),
  "a failed turn": () => lane('[{"fail":"no such luck"}]', isOver("failed")),
  "a running turn": () => lane('[{"wait":"go"}]', isRunning),
  "an open request": () => asking({ ask: "touch x" }),
  "an open question": () => asking({ question }),
  async "an answered request"() {
    const given = await asking({ ask: "touch x" });
    await given.world.engine.core.answer(given.words["<request>"]!, { decision: "approve" }, "cli", null);
    return given;
  },
  async "a queue"() {
    const given = await lane('[{"wait":"go"}]', isRunning);
    for (const [word, text] of Object.entries({ "<first>": "one", "<second>": "two", "<third>": "three" })) {
      given.words[word] = (await send(given.world, text, "queue")).receipt;
    }
    return given;
  },
  async "a held queue"() {
    const given = await lane('[{"wait":"go"}]', isRunning);
    await send(given.world, "one", "queue");
    const { core } = given.world.engine;
    await core.stop(core.resolve("@docs", null), 5000);
    return given;
  },
  "an unsure message": unsure,
  async "an archived thread"() {
    const given = await lane("hello", isOver("completed"));
    const { core } = given.world.engine;
    await core.archive({ ref: core.resolve("@docs", null) });
    return given;
  },
  async "an unmanaged thread"() {
    const world = begun();
    return { world, words: { "<thread>": stranger(world) } };
  },
  async "a trigger"() {
    const world = begun();
    const { ref } = await create(world, "docs");
    world.engine.core.addTrigger({
      name: "standup",
      lane: ref,
      when: { kind: "cron", cron: "0 9 * * 1-5", tz: "Europe/Berlin" },
      of: [],
      action: { kind: "queue", text: "What is next?" },
      guards: noGuards,
      caller: cli.kind,
    });
    return { world, words: {} };
  },
  async "a subscription"() {
    const given = await lane('[{"wait":"go"}]', isRunning);
    const { core } = given.world.engine;
    const { id } = core.subscribe({
      of: [core.resolve("@docs", null)],
      conditions: ["done"],
      to: null,
      deliver: "inbox",
      all: false,
      once: true,
      tail: 1,
      caller: cli.kind,
    });
    return { ...given, words: { ...given.words, "<subscription>": id } };
  },
  async "an inbox message"() {
    const world = begun();
    const { id } = world.engine.core.postInbox({ lane: null, sender: "cli", text: "look here" });
    return { world, words: { "<inbox>": id } };
  },
  async "an attached thread"() {
    const world = begun();
    await world.engine.core.attach(stranger(world), "cli");
    return { world, words: {} };
  },
  async "a thread held elsewhere"() {
    const world = begun();
    const id = stranger(world);
    await world.engine.core.attach(id, "cli");
    world.agent.threads.get(id)!.isHeldElsewhere = true;
    return { world, words: {} };
  },
};

function begun(options: WorldOptions = {}): TestWorld {
  const world = testWorld(options);
  world.engine.begin();
  world.agent.up();
  return world;
}

const relayed = async (state: Parameters<typeof laptopOf>[0]) => ({
  world: await laptopOf(state, { begun, create }),
  words: {},
});

export function create(
  world: TestWorld,
  name: string,
  text: string | null = null,
): Promise<{ ref: Ref; receipt: Receipt | null }> {
  const { signal } = new AbortController();
  const draft = { name, text, goal: null, settings: { cwd: "/repo" }, key: null, created_by: cli.kind };
  return world.engine.core.create(draft, signal);
}

export function send(world: TestWorld, text: string, mode: Mode): Promise<Receipt> {
  const { core } = world.engine;
  const { signal } = new AbortController();
  return core.send(core.resolve("@docs", null), { ...plain, text, mode }, signal);
}

async function lane(text: string, holds: Holds): Promise<Given> {
  const world = begun();
  const { ref } = await create(world, "docs", text);
  await until(`the situation of ${text}`, () => holds(world, ref));
  const [message] = world.store.messages.list({ lane: ref, limit: 1 });
  return { world, words: message ? { "<receipt>": message.id } : {} };
}

/** A thread that another app made, with one turn in it. */
function stranger(world: TestWorld): string {
  return world.agent.madeElsewhere("theirs", "hello");
}

function isRunning(world: TestWorld, ref: Ref): boolean {
  const isBusy = world.engine.core.view(ref).latest_turn?.status === "in_progress";
  return isBusy && world.store.messages.open(ref)[0]?.state === "delivered";
}

function isOver(status: string): Holds {
  return (world, ref) => world.engine.core.view(ref).latest_turn?.status === status;
}

const question = {
  kind: "user_input",
  method: "item/tool/requestUserInput",
  asks: {
    questions: [
      {
        id: "q1",
        header: "Pick",
        question: "Which?",
        options: [
          { label: "A", description: "the first" },
          { label: "B", description: "the second" },
        ],
        is_other: false,
        is_secret: false,
      },
    ],
  },
};

async function asking(step: Record<string, unknown>): Promise<Given> {
  const isAsking: Holds = (world, ref) => world.engine.core.view(ref).status === "waiting";
  const given = await lane(JSON.stringify([step, { say: "done" }]), isAsking);
  const [request] = given.world.engine.core.requests({ ref: null, all: false, limit: 1 });
  given.words["<request>"] = request!.id;
  return given;
}

/** Its answer and its proof were lost, and the thread was reverted before anyone could read: nothing can tell. */
async function unsure(): Promise<Given> {
  const { world } = await lane("hello", isOver("completed"));
  world.agent.loseNextAnswer("startTurn");
  world.agent.swallow("item_completed");
  const sent = send(world, "lost", "send");
  const isClaimed = () => world.store.messages.list({ limit: 1 })[0]?.state === "claimed";
  await until("the turn is over", () => world.agent.asked.includes("lost") && isClaimed());
  world.agent.kill();
  for (const thread of world.agent.threads.values())
    Object.assign(thread, { turns: thread.turns.slice(0, 1), path: "/sessions/reverted.jsonl" });
  world.agent.up();
  const { receipt, state } = await sent;
  if (state !== "unsure") throw new Error(`the message is ${state}`);
  return { world, words: { "<receipt>": receipt } };
}
