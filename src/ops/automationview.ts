/** Triggers, subscriptions, firings and inboxes, as a person sees them; and whose they are. */
import * as v from "valibot";
import { limits } from "../base/limits.ts";
import { table } from "../base/table.ts";
import { ago, block, cell, type Look, paint } from "../base/text.ts";
import type { FiringView, InboxView, SubscriptionView, TriggerView } from "../contract/automation.ts";
import type { Core } from "../core/core.ts";
import { arg } from "./fields.ts";
import type { Caller } from "./protocol.ts";

export const triggerArg = () =>
  arg(
    v.pipe(v.string(), v.minLength(1), v.maxLength(limits.automation.nameCharsMax)),
    "trigger: its id or its name",
    {
      value: "TRIGGER",
      names: "trigger",
    },
  );

/** Throws `denied`: an agent manages what acts on itself, or on threads that it created. */
export function authorizeFor(core: Core, caller: Caller, cli: string, thread: string | null): void {
  core.authorizeAgentCall({
    cli,
    isRead: false,
    reach: "created",
    thread,
    receipt: null,
    agent: () => caller.thread_id,
  });
}

function whenWords(when: TriggerView["when"]): string {
  switch (when.kind) {
    case "interval":
      return `every ${when.seconds} s`;
    case "cron":
      return `cron ${when.cron} ${when.tz}`;
    case "at":
      return `at ${when.time}`;
    case "idle_for":
      return `idle for ${when.seconds} s`;
    case "condition":
      return when.conditions.join(" or ");
    case "event":
      return when.kinds.join(", ");
  }
}

const stateWords = ({ state, reason }: { state: string; reason: string | null }) =>
  state === "active" ? paint("green", state) : `${paint("yellow", state)}: ${cell(reason)}`;

export function triggerTable(triggers: readonly TriggerView[], look: Look): string {
  if (triggers.length === 0) return "no triggers; dispatch trigger add --help";
  return table(
    triggers.map((one) => [
      paint("cyan", one.id),
      cell(one.name),
      cell(whenWords(one.when)),
      one.action.kind,
      one.thread ?? "-",
      stateWords(one),
      String(one.fired),
      one.next_due === null ? "-" : one.next_due,
    ]),
    look,
    { header: ["id", "name", "when", "action", "thread", "state", "fired", "next"], shrink: 5 },
  );
}

export function triggerPairs(one: TriggerView, look: Look): string {
  const rows: [string, string][] = [
    ["trigger", `${paint("cyan", one.id)} ${cell(one.name)}`],
    ["when", `${cell(whenWords(one.when))}${one.of.length > 0 ? ` of ${one.of.join(" ")}` : ""}`],
    ["action", `${one.action.kind}${one.thread === null ? "" : ` ${one.thread}`}`],
    ["state", stateWords(one)],
    ["fired", `${one.fired}${one.last_fired_at === null ? "" : `, last ${ago(one.last_fired_at, look)}`}`],
    ["next", one.next_due ?? "-"],
  ];
  const text = "text" in one.action ? `\n${block(one.action.text)}` : "";
  return `${rows.map(([name, value]) => `${name.padEnd(8)} ${value}`).join("\n")}${text}`;
}

export function firingTable(firings: readonly FiringView[], look: Look): string {
  if (firings.length === 0) return "it has not fired yet";
  return table(
    firings.map((one) => [
      ago(one.at, look),
      one.outcome,
      cell(one.slot),
      one.receipt ?? one.thread ?? "-",
      cell(one.reason),
    ]),
    look,
    { header: ["at", "outcome", "slot", "receipt", "reason"], shrink: 4 },
  );
}

export function subscriptionTable(subscriptions: readonly SubscriptionView[], look: Look): string {
  if (subscriptions.length === 0) return "no subscriptions; dispatch subscribe --help";
  return table(
    subscriptions.map((one) => [
      paint("cyan", one.id),
      `${one.when.join(" or ")}${one.all ? " of all" : ""}`,
      cell(one.of.join(" ")),
      `${one.deliver} of ${one.to ?? "the person"}`,
      stateWords(one),
      String(one.fired),
    ]),
    look,
    { header: ["id", "when", "of", "to", "state", "fired"], shrink: 2 },
  );
}

export function inboxTable(messages: readonly InboxView[], look: Look): string {
  if (messages.length === 0) return "nothing is in the inbox";
  return table(
    messages.map((one) => [
      paint("cyan", one.id),
      one.thread ?? "you",
      cell(one.from),
      one.state,
      ago(one.created_at, look),
      cell(one.text),
    ]),
    look,
    { header: ["id", "for", "from", "state", "at", "text"], shrink: 5 },
  );
}
