/** The verbs of what acts by itself. */
import type { RowKey } from "../../base/cursor.ts";
import type { FiringView, InboxView, SubscriptionView, TriggerView } from "../../contract/automation.ts";
import type { Cause } from "../../contract/receipt.ts";
import type { InboxState } from "../../contract/words.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Automation } from "../model/ports/automation.ts";
import type { Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import { causesOf } from "./cause.ts";
import { pauseByHand, removeAutomation, resume } from "./control.ts";
import type { Previews } from "./effect.ts";
import { ackInbox, listInbox, postInbox, readInbox } from "./inbox.ts";
import { listSubscriptions, type SubscriptionDraft, subscribe, subscriptionOf } from "./subscriptions.ts";
import {
  addTrigger,
  getTrigger,
  listTriggers,
  type TriggerDraft,
  type TriggerTest,
  testTrigger,
  triggerOf,
} from "./triggers.ts";
import { subscriptionView, triggerView } from "./views.ts";

export interface AutomationVerbs {
  addTrigger(draft: TriggerDraft): TriggerView;
  triggers(page: { after: RowKey | null; limit: number }): TriggerView[];
  /** `word`: an id or a name, here and below. */
  trigger(word: string): TriggerView & { firings: FiringView[] };
  /** Which thread it acts on. */
  triggerLane(word: string): Ref | null;
  removeTrigger(word: string): TriggerView;
  pauseTrigger(word: string): TriggerView;
  resumeTrigger(word: string): TriggerView;
  testTrigger(word: string): TriggerTest;
  subscribe(draft: SubscriptionDraft): SubscriptionView;
  subscriptions(filter: { to?: Ref | null; after?: RowKey | null; limit: number }): SubscriptionView[];
  subscription(id: string): SubscriptionView;
  removeSubscription(id: string): SubscriptionView;
  resumeSubscription(id: string): SubscriptionView;
  /** `lane`: null is the person, undefined all. */
  inbox(filter: {
    lane?: Ref | null;
    states: readonly InboxState[];
    after?: RowKey | null;
    limit: number;
  }): InboxView[];
  readInbox(id: string): InboxView;
  ackInbox(ids: readonly string[]): InboxView[];
  /** What caused a message, the nearest first. Throws `not_found`. */
  causes(receipt: string): Cause[];
  /** Who wrote a message: a client, a thread's id, a trigger or a subscription. */
  writer(receipt: string): string | null;
  postInbox(message: { lane: Ref | null; sender: string; text: string }): InboxView;
}

/** `changed`: the loop is to look at once. */
export function automationVerbs(deps: CoreDeps, changed: () => void, previews: Previews): AutomationVerbs {
  const { store } = deps;
  /** Does it, and shows the row as it is then; one that is removed as it was. */
  function shown<View>(
    one: Automation,
    act: (deps: CoreDeps, one: Automation) => void,
    view: (store: Store, one: Automation) => View,
  ): View {
    const before = view(store, one);
    act(deps, one);
    changed();
    const now = store.automations.find(one.id);
    return now ? view(store, now) : before;
  }
  return {
    addTrigger(draft) {
      const added = addTrigger(deps, previews, draft);
      changed();
      return added;
    },
    triggers: (page) => listTriggers(deps, page),
    trigger: (word) => getTrigger(deps, word),
    triggerLane: (word) => triggerOf(deps, word).lane,
    removeTrigger: (word) => shown(triggerOf(deps, word), removeAutomation, triggerView),
    pauseTrigger: (word) => shown(triggerOf(deps, word), pauseByHand, triggerView),
    resumeTrigger: (word) => shown(triggerOf(deps, word), resume, triggerView),
    testTrigger: (word) => testTrigger(deps, previews, word),
    subscribe(draft) {
      const added = subscribe(deps, draft);
      changed();
      return added;
    },
    subscriptions: (filter) => listSubscriptions(deps, filter),
    subscription: (id) => subscriptionView(store, subscriptionOf(deps, id)),
    removeSubscription: (id) => shown(subscriptionOf(deps, id), removeAutomation, subscriptionView),
    resumeSubscription: (id) => shown(subscriptionOf(deps, id), resume, subscriptionView),
    inbox: (filter) => listInbox(deps, filter),
    readInbox: (id) => readInbox(deps, id),
    ackInbox: (ids) => ackInbox(deps, ids),
    causes: (receipt) => causesOf(store, receipt),
    writer: (receipt) =>
      (store.messages.find(receipt) ?? store.relay.findRelayed(receipt) ?? store.messages.get(receipt))
        .caller,
    postInbox: (message) => postInbox(deps, message),
  };
}
