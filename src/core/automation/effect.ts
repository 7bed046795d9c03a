/** What a firing does. */
import { iso } from "../../base/clock.ts";
import { DispatchError, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Mode } from "../../contract/words.ts";
import { plain } from "../delivery/accept.ts";
import type { Delivery } from "../delivery/modes.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { EventRow } from "../model/events.ts";
import type { Change } from "../model/journal.ts";
import type { Automation, Work } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import { causeOf } from "./cause.ts";
import { post } from "./inbox.ts";
import { render } from "./template.ts";

/** What automation needs of other parts of core, which import it. */
export interface Actions {
  delivery: Pick<Delivery, "store">;
  /** Ends the running turn of a thread. */
  stop(ref: Ref): Promise<unknown>;
  /** Makes a thread; the same key makes none twice. */
  create(asked: { preset: string | null; name: string; text: string; key: string; by: string }): Promise<Ref>;
}

/** What a trigger needs of them when it is added and tested. */
export interface Previews {
  delivery: Pick<Delivery, "store">;
  /** Throws what `create` would refuse before it asks Codex, but for the name. */
  plan(asked: { preset: string | null; name: string; text: string }): void;
}

/** Why it fires now. */
export interface Occurrence {
  slot: string;
  /** When it came, epoch ms: it may be seen later. */
  moment: number;
  /** The event of the log; null: the clock. */
  event: EventRow | null;
  /** The thread that it is about: the one that is watched. */
  about: Ref | null;
  /** Moments of the clock that passed unseen before it. */
  missed: number;
  /** Of the clock: the next moment. */
  next: number | null;
  /** Of a subscription: what it says. */
  text?: string;
  /** Why it is only noted, and nothing is done. */
  skip?: string;
}

/** What came of it: the message that it sent, or why it was refused, or what is to be done. */
export interface Effect {
  receipt?: string;
  error?: DispatchError;
  /** It is open until Codex has done this. */
  work?: Work;
}

export function byWords({ face, name, id }: Automation): string {
  return `${face} ${name ?? id}`;
}

/** Inside the transaction of the firing. `error`: it was refused, and nothing of it is stored. */
export function perform(
  deps: CoreDeps,
  { delivery }: Pick<Actions, "delivery">,
  change: Change,
  automation: Automation,
  occurrence: Occurrence,
): Effect {
  const { store } = deps;
  const { action, lane } = automation;
  switch (action.kind) {
    case "exec":
      return {};
    case "stop":
      return {
        work: {
          kind: "stop",
          turn_id: lane === null ? null : (store.turns.running(lane)[0]?.turn_id ?? null),
        },
      };
    case "new": {
      const at = occurrence.slot.slice(0, limits.automation.slotCharsInTitle);
      const name = `${textOf(deps, automation, occurrence, action.name)} ${at}`;
      const text = textOf(deps, automation, occurrence, action.text);
      return { work: { kind: "new", preset: action.preset, name, text } };
    }
    case "wake":
      if (action.deliver === "queue" && lane !== null) return send("queue", occurrence.text ?? "");
      post(deps, change, { lane, sender: byWords(automation), text: occurrence.text ?? "" });
      return {};
    default:
      return send(action.kind, textOf(deps, automation, occurrence, action.text));
  }

  function send(mode: Mode, text: string): Effect {
    const cause = causeOf(store, occurrence.event);
    try {
      if (lane === null) fail("internal", "a trigger without a thread sends nothing");
      const message = delivery.store(change, lane, {
        ...plain,
        mode,
        text,
        cause_id: cause?.id ?? (occurrence.event ? `event ${occurrence.event.seq}` : null),
        depth: (cause?.depth ?? 0) + 1,
        caller: byWords(automation),
      });
      return { receipt: message.id };
    } catch (thrown) {
      if (!(thrown instanceof DispatchError) || thrown.code === "storage" || thrown.code === "internal")
        throw thrown;
      return { error: thrown };
    }
  }
}

/** The text of an action with its variables filled in. */
export function textOf(
  { store }: CoreDeps,
  automation: Automation,
  occurrence: Occurrence,
  text: string,
): string {
  const about = occurrence.about ?? automation.lane;
  const facts = about === null ? undefined : store.lanes.findFacts(about);
  const { event } = occurrence;
  const turn =
    event?.turn_id && about !== null ? store.turns.find(about, event.turn_id) : (facts?.latest ?? undefined);
  const data = Object.entries(event?.data ?? {}).map(([name, value]) => [
    `event.data.${name}`,
    typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value),
  ]);
  return render(text, {
    "thread.ref": facts?.lane.ref ?? null,
    "thread.id": facts?.lane.thread_id ?? null,
    "thread.title": facts?.lane.title ?? null,
    "thread.handle": facts?.lane.handle ? `@${facts.lane.handle}` : null,
    "thread.cwd": facts?.lane.cwd ?? null,
    "turn.id": turn?.turn_id ?? null,
    "turn.status": turn?.status ?? null,
    "turn.error": turn?.error?.message ?? null,
    "turn.last_message": facts?.lane.last_message?.text ?? null,
    "event.kind": event?.kind ?? null,
    "event.at": event ? iso(event.at) : null,
    "event.seq": event?.seq ?? null,
    "trigger.name": automation.name,
    "trigger.slot": occurrence.slot,
    ...Object.fromEntries(data),
  });
}
