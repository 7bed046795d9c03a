/** What goes next, over every combination of what a thread and its queue may be in. */
import { expect, test } from "bun:test";
import { holdReasons } from "../../../src/contract/words.ts";
import {
  type NextAction,
  type NextFacts,
  type NextPolicy,
  nextAction,
} from "../../../src/core/delivery/next.ts";
import type { Lane, Message, Turn } from "../../../src/core/model/ports/rows.ts";

const open = {
  source: "own",
  setup: "ready",
  parent_id: null,
  hold_reason: null,
  archived_at: null,
  gone_at: null,
} as Lane;
const message = (id: string) => ({ id }) as Message;
const [steer, context, start] = [message("steer"), message("context"), message("start")];
const turn = { turn_id: "t" } as Turn;
const full = { by: "limits", message: "2 turns run", hint: "wait" } as const;

interface Case {
  facts: NextFacts;
  policy: NextPolicy;
  action: NextAction;
}

function* cases(): Generator<Case> {
  const flags = [false, true];
  for (const source of ["own", "attached"] as const)
    for (const hold_reason of [null, ...holdReasons])
      for (const archived_at of [null, 1])
        for (const hasInFlight of flags)
          for (const isCulprit of flags)
            for (const isReady of flags)
              for (const runs of [null, turn, "elsewhere"] as const)
                for (const mask of [0, 1, 2, 3, 4, 5, 6, 7])
                  for (const attachedQueue of flags)
                    for (const startBlock of [null, full]) {
                      const facts: NextFacts = {
                        lane: { ...open, source, hold_reason, archived_at, pending: mask === 0 ? 0 : 1 },
                        hasInFlight,
                        isCulprit,
                        isReady,
                        turn: runs,
                        waiting: {
                          steer: () => (mask & 1 ? steer : null),
                          context: () => (mask & 2 ? context : null),
                          start: () => (mask & 4 ? start : null),
                        },
                      };
                      const policy = { attachedQueue, startBlock: () => startBlock };
                      yield { facts, policy, action: nextAction(facts, policy) };
                    }
}

const all = [...cases()];
const those = (is: (one: Case) => boolean) => all.filter(is);
const kinds = (some: readonly Case[]) => [...new Set(some.map(({ action }) => action.kind))].sort();

test("one of a thread is in flight, and a thread that ended Codex twice is left alone", () => {
  expect(kinds(those(({ facts }) => facts.hasInFlight || facts.isCulprit))).toEqual(["none"]);
});

test("a thread of another app only gets what goes into Codex's own queue, and only where that is allowed", () => {
  const theirs = those(({ facts }) => facts.lane.source === "attached");
  expect(kinds(theirs)).toEqual(["give", "none"]);
  expect(kinds(theirs.filter(({ policy }) => !policy.attachedQueue))).toEqual(["none"]);
});

test("nothing goes to a thread that is archived", () => {
  const archived = those(({ facts }) => facts.lane.archived_at !== null && facts.lane.source === "own");
  expect(kinds(archived)).toEqual(["none"]);
});

const own = all.filter(
  ({ facts }) =>
    facts.lane.source === "own" && facts.lane.archived_at === null && !facts.hasInFlight && !facts.isCulprit,
);
const ready = own.filter(({ facts }) => facts.isReady);

test("a thread is created, and its goal set, before anything goes", () => {
  expect(kinds(own.filter(({ facts }) => !facts.isReady))).toEqual(["open"]);
});

test("into a running turn goes a steer and nothing else; nothing where another process runs it", () => {
  const under = ready.filter(({ facts }) => facts.turn === turn);
  expect(kinds(under)).toEqual(["none", "steer"]);
  expect(kinds(under.filter(({ facts }) => facts.waiting.steer(turn) !== null))).toEqual(["steer"]);
  expect(kinds(ready.filter(({ facts }) => facts.turn === "elsewhere"))).toEqual(["none"]);
});

const idle = ready.filter(({ facts }) => facts.turn === null);

test("a context goes first, whatever holds the queue and however many turns run", () => {
  const some = idle.filter(({ facts }) => facts.waiting.context() !== null);
  expect(kinds(some)).toEqual(["inject"]);
  expect(some.length).toBeGreaterThan(0);
});

const toStart = idle.filter(({ facts }) => facts.waiting.context() === null);

test("a turn starts unless a hold keeps it, and waits while as many run as may", () => {
  const passing = [null, "failed", "stopped", "crashed"];
  for (const { facts, policy, action } of toStart) {
    const mayStart = facts.waiting.start() !== null && passing.includes(facts.lane.hold_reason);
    expect(action).toEqual(
      mayStart
        ? policy.startBlock()
          ? { kind: "wait", block: full }
          : { kind: "start", message: start }
        : { kind: "none" },
    );
  }
});
