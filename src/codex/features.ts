/**
 * What dispatch uses of Codex, by feature. The protocol changes monthly. A Codex that lacks a method loses only that
 * feature, with its name in the error. A Codex that lacks something vital for delivery is too old.
 */
import { DispatchError } from "../base/error.ts";
import { downError } from "./errors.ts";
import type { Fields, Offer } from "./offer.ts";
import type { Json } from "./read.ts";

/**
 * The versions for which scripts/versions confirmed the facts that delivery relies on: 0.163, 0.165, 0.166, 0.169, 0.171.
 * In 0.160 a thread is not durable at the answer to thread/name/set, so a message may end as unsure after a crash. 0.150
 * has an older history format, without commands and reverts, and unloads a thread a minute late.
 */
export const tested = { from: "0.163.0", to: "0.171.0" } as const;

export interface Feature {
  /** Completes the sentence "codex 1.2.3 cannot ...". */
  what: string;
  isVital?: true;
  /** Methods that dispatch calls, with the required fields. An empty list means that every call needs the feature. */
  calls?: Needs;
  /** Notifications that dispatch reads. */
  hears?: Needs;
  /** Requests of Codex that dispatch answers. */
  asks?: Needs;
}

type Needs = Record<string, readonly string[]>;

export const features: readonly Feature[] = [
  {
    what: "deliver each message once",
    isVital: true,
    calls: {
      initialize: [],
      "thread/start": [],
      // A resume without all of these can raise a thread's rights (facts F24).
      "thread/resume": [
        "cwd",
        "sandbox",
        "approvalPolicy",
        "baseInstructions",
        "developerInstructions",
        "model",
        "config",
      ],
      "thread/name/set": [],
      "thread/read": [],
      "thread/turns/list": [],
      "thread/unsubscribe": [],
      "thread/loaded/list": [],
      // Without our id on the wire nothing proves that a text was delivered. The schema of 0.130 has no such field.
      "turn/start": ["clientUserMessageId"],
    },
    hears: {
      "thread/status/changed": [],
      "turn/started": [],
      "turn/completed": [],
      "item/completed": ["clientId"],
    },
  },
  { what: "steer a turn", calls: { "turn/steer": ["expectedTurnId", "clientUserMessageId"] } },
  { what: "interrupt a turn", calls: { "turn/interrupt": [] } },
  { what: "end what an interrupted turn left running", calls: { "thread/backgroundTerminals/clean": [] } },
  { what: "take context without a turn", calls: { "thread/inject_items": [] } },
  {
    what: "keep goals",
    calls: { "thread/goal/get": [], "thread/goal/set": [], "thread/goal/clear": [] },
    hears: { "thread/goal/updated": [], "thread/goal/cleared": [] },
  },
  {
    what: "ask for approval",
    asks: { "item/commandExecution/requestApproval": [], "item/fileChange/requestApproval": [] },
    hears: { "serverRequest/resolved": [], "item/started": [] },
  },
  { what: "ask for permissions", asks: { "item/permissions/requestApproval": [] } },
  { what: "ask its user", asks: { "item/tool/requestUserInput": [] } },
  { what: "forward questions of an MCP server", asks: { "mcpServer/elicitation/request": [] } },
  {
    what: "give a thread tools of dispatch's own",
    calls: { "thread/start": ["dynamicTools"] },
    asks: { "item/tool/call": [] },
  },
  {
    what: "run under a permission profile",
    calls: {
      "thread/start": ["permissions"],
      "thread/resume": ["permissions"],
      "thread/fork": ["permissions"],
    },
  },
  {
    what: "use another reviewer for approvals",
    calls: {
      "thread/start": ["approvalsReviewer"],
      "thread/resume": ["approvalsReviewer"],
      "thread/fork": ["approvalsReviewer"],
    },
  },
  {
    what: "use a service tier",
    calls: {
      "thread/start": ["serviceTier"],
      "thread/resume": ["serviceTier"],
      "turn/start": ["serviceTier"],
    },
  },
  {
    what: "take a model or effort for one turn",
    calls: { "turn/start": ["model", "effort", "collaborationMode"] },
  },
  { what: "answer in the form of a schema", calls: { "turn/start": ["outputSchema"] } },
  {
    what: "list threads",
    calls: { "thread/list": ["modelProviders", "sourceKinds", "useStateDbOnly", "archived"] },
  },
  {
    what: "archive threads",
    calls: { "thread/archive": [], "thread/unarchive": [] },
    hears: { "thread/archived": [], "thread/unarchived": [] },
  },
  { what: "delete threads", calls: { "thread/delete": [] } },
  { what: "fork a thread", calls: { "thread/fork": [] } },
  { what: "fork a thread at a turn", calls: { "thread/fork": ["lastTurnId"] } },
  { what: "revert a thread", calls: { "thread/revert": ["beforeTurnId"] } },
  { what: "compact a thread", calls: { "thread/compact/start": [] } },
  { what: "search its threads", calls: { "thread/search": [], "thread/searchOccurrences": [] } },
  { what: "list models", calls: { "model/list": [], "config/read": [] } },
  { what: "list permission profiles", calls: { "permissionProfile/list": ["cwd"] } },
  { what: "list its own queue", calls: { "thread/queue/list": [] } },
  {
    what: "queue for a thread that another program writes",
    calls: { "thread/queue/add": ["clientUserMessageId"] },
  },
  {
    what: "report what other programs do to a thread",
    hears: { "thread/started": [], "thread/closed": [], "thread/name/updated": [] },
  },
  { what: "count tokens", hears: { "thread/tokenUsage/updated": [] } },
  { what: "report the usage of its account", hears: { "account/rateLimits/updated": [] } },
  { what: "report the decisions of its hooks", hears: { "hook/completed": [] } },
  { what: "report that it retries", hears: { error: ["willRetry"] } },
  { what: "report faults of its configuration", hears: { configWarning: [] } },
  {
    what: "report MCP servers that do not start, and other warnings",
    hears: {
      "mcpServer/startupStatus/updated": [],
      warning: [],
      guardianWarning: [],
      deprecationNotice: [],
    },
  },
  { what: "report whether it is logged in", calls: { "account/read": [] } },
];

export interface Lack {
  feature: Feature;
  /** The missing methods and fields: `thread/fork lastTurnId`. */
  needs: string[];
}

export function lacksOf(offer: Offer): Lack[] {
  return features.flatMap((feature) => {
    const needs = [
      ...missing(feature.calls, offer.calls),
      ...missing(feature.hears, offer.hears),
      ...missing(feature.asks, offer.asks),
    ];
    return needs.length === 0 ? [] : [{ feature, needs }];
  });
}

function missing(needs: Needs = {}, offered: Fields): string[] {
  return Object.entries(needs).flatMap(([method, fields]) => {
    const known = offered.get(method);
    return known === undefined
      ? [method]
      : fields.filter((field) => !known.has(field)).map((field) => `${method} ${field}`);
  });
}

/** The missing feature that this call needs, if any. */
export function lackOf(lacks: readonly Lack[], method: string, params: Json): Lack | undefined {
  return lacks.find(({ feature: { calls = {} } }) => {
    const fields = Object.hasOwn(calls, method) ? calls[method] : undefined;
    return fields && (fields.length === 0 || fields.some((field) => params[field] !== undefined));
  });
}

export function lackWords(version: string, { feature, needs }: Lack): string {
  return `codex ${version} cannot ${feature.what}: it has no ${needs.join(", ")}`;
}

/** The call is not sent: Codex would refuse it with an unclear message, or ignore the fields that it does not know. */
export function lackError(version: string, lack: Lack): DispatchError {
  return new DispatchError("agent", `${lackWords(version, lack)}; ${testedWords}`, {
    hint: upgradeFor(version),
    data: {
      reason: "other",
      words: "",
      feature: lack.feature.what,
      lacks: lack.needs,
      version,
      tested,
      outcome: "not_sent",
    },
  });
}

/** The error for a Codex without a vital feature, which counts as down. Undefined when nothing vital is missing. */
export function tooOldError(version: string, lacks: readonly Lack[]): DispatchError | undefined {
  const vital = lacks.find(({ feature }) => feature.isVital);
  if (vital === undefined) return undefined;
  const why = isNewer(version) ? "this dispatch is too old for it" : "it is too old";
  return downError(`${lackWords(version, vital)}; ${why}, ${testedWords}`, "not_sent", upgradeFor(version));
}

export function isTested(version: string): boolean {
  return Bun.semver.order(version, tested.from) >= 0 && Bun.semver.order(version, tested.to) <= 0;
}

/** True for a Codex that was released after this dispatch: an upgrade of Codex does not help then. */
export function isNewer(version: string): boolean {
  return /^\d+\.\d+\.\d+/.test(version) && Bun.semver.order(version, tested.to) > 0;
}

/** The hint when this Codex and this dispatch do not fit together. */
export function upgradeFor(version: string): string {
  return isNewer(version)
    ? "upgrade dispatch: it is older than this codex"
    : "npm install -g @openai/codex@latest";
}

export const testedWords = `dispatch was tested with ${tested.from} to ${tested.to}`;
