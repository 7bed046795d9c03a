/** The verbs of what acts by itself. */
import type { FiringView, InboxView, SubscriptionView, TriggerView } from "../../contract/automation.ts";
import type { Cause } from "../../contract/receipt.ts";
import type { InboxState } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref } from "../model/ports/rows.ts";
import { causesOf } from "./cause.ts";
import { ackInbox, listInbox, postInbox, readInbox } from "./inbox.ts";
import { listSubscriptions, type SubscriptionDraft, subscribe, subscriptionOf } from "./subscriptions.ts";
import {
  addTrigger,
  getTrigger,
  listTriggers,
  pauseByHand,
  removeAutomation,
  resume,
  type TriggerDraft,
  type TriggerTest,
  testTrigger,
  triggerOf,
} from "./triggers.ts";
import { subscriptionView, triggerView } from "./views.ts";

export interface AutomationVerbs {
  addTrigger(draft: TriggerDraft): TriggerView;
  triggers(limit: number): TriggerView[];
  /** `word`: an id or a name, here and below. */
  trigger(word: string): TriggerView & { firings: FiringView[] };
  /** Which thread it acts on. */
  triggerLane(word: string): Ref | null;
  removeTrigger(word: string): TriggerView;
  pauseTrigger(word: string): TriggerView;
  resumeTrigger(word: string): TriggerView;
  testTrigger(word: string): TriggerTest;
  subscribe(draft: SubscriptionDraft): SubscriptionView;
  subscriptions(filter: { to?: Ref | null; limit: number }): SubscriptionView[];
  subscription(id: string): SubscriptionView;
  removeSubscription(id: string): SubscriptionView;
  resumeSubscription(id: string): SubscriptionView;
  /** `lane`: null is the person, undefined all. */
  inbox(filter: { lane?: Ref | null; states: readonly InboxState[]; limit: number }): InboxView[];
  readInbox(id: string): InboxView;
  ackInbox(ids: readonly string[]): InboxView[];
  /** What caused a message, the nearest first. Throws `not_found`. */
  causes(receipt: string): Cause[];
  postInbox(message: { lane: Ref | null; sender: string; text: string }): InboxView;
}

/** `changed`: the loop is to look at once. */
export function automationVerbs(deps: CoreDeps, changed: () => void): AutomationVerbs {
  const { store } = deps;
  const view = (word: string) => triggerView(store, triggerOf(deps, word));
  return {
    addTrigger(draft) {
      const added = addTrigger(deps, draft);
      changed();
      return added;
    },
    triggers: (limit) => listTriggers(deps, limit),
    trigger: (word) => getTrigger(deps, word),
    triggerLane: (word) => triggerOf(deps, word).lane,
    removeTrigger(word) {
      const one = triggerOf(deps, word);
      const removed = triggerView(store, one);
      removeAutomation(deps, one);
      return removed;
    },
    pauseTrigger(word) {
      pauseByHand(deps, triggerOf(deps, word));
      return view(word);
    },
    resumeTrigger(word) {
      resume(deps, triggerOf(deps, word));
      changed();
      return view(word);
    },
    testTrigger: (word) => testTrigger(deps, word),
    subscribe(draft) {
      const added = subscribe(deps, draft);
      changed();
      return added;
    },
    subscriptions: (filter) => listSubscriptions(deps, filter),
    subscription: (id) => subscriptionView(store, subscriptionOf(deps, id)),
    removeSubscription(id) {
      const one = subscriptionOf(deps, id);
      const removed = subscriptionView(store, one);
      removeAutomation(deps, one);
      return removed;
    },
    resumeSubscription(id) {
      resume(deps, subscriptionOf(deps, id));
      changed();
      return subscriptionView(store, subscriptionOf(deps, id));
    },
    inbox: (filter) => listInbox(deps, filter),
    readInbox: (id) => readInbox(deps, id),
    ackInbox: (ids) => ackInbox(deps, ids),
    causes: (receipt) => causesOf(store, receipt),
    postInbox: (message) => postInbox(deps, message),
  };
}
