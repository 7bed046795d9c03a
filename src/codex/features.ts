/**
 * What dispatch uses of Codex, by what it is for. The protocol changes monthly: a Codex that lacks something loses
 * that one feature, by name; one that lacks what delivery itself stands on is too old.
 */
import { DispatchError } from "../base/error.ts";
import { downError } from "./errors.ts";
import type { Fields, Offer } from "./offer.ts";
import type { Json } from "./read.ts";

/**
 * Where the facts hold that delivery stands on, as scripts/versions saw them at 0.163, 0.165, 0.166, 0.169 and 0.171. In 0.160
 * a thread is not durable at the answer to thread/name/set, so that a message may end as unsure after a crash; 0.150
 * keeps histories of the old kind, without commands and reverts, and lets go of a thread a minute after it was told to.
 */
export const tested = { from: "0.163.0", to: "0.171.0" } as const;

export interface Feature {
  /** "codex 1.2.3 cannot ..." */
  what: string;
  isVital?: true;
  /** By method: the fields that it is about. None named: every call of it. */
  calls?: Needs;
  hears?: Needs;
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
      // A resume that names less than all of these was measured to raise a thread's power.
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
      // Without our id on the wire nothing tells whether a text was taken: 0.130 drops it (its schema says so).
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
  { what: "pass on what an MCP server asks", asks: { "mcpServer/elicitation/request": [] } },
  { what: "call a tool of its client", asks: { "item/tool/call": [] } },
  {
    what: "run under a permission profile",
    calls: {
      "thread/start": ["permissions"],
      "thread/resume": ["permissions"],
      "thread/fork": ["permissions"],
    },
  },
  {
    what: "have approvals reviewed by another",
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
  { what: "show what waits in its own queue", calls: { "thread/queue/list": [] } },
  {
    what: "queue for a thread that another program writes",
    calls: { "thread/queue/add": ["clientUserMessageId"] },
  },
  {
    what: "tell what other programs do to a thread",
    hears: { "thread/started": [], "thread/closed": [], "thread/name/updated": [] },
  },
  { what: "count tokens", hears: { "thread/tokenUsage/updated": [] } },
  { what: "tell how far its account is used up", hears: { "account/rateLimits/updated": [] } },
  { what: "tell what its hooks decide", hears: { "hook/completed": [] } },
  { what: "tell that it tries again", hears: { error: ["willRetry"] } },
  { what: "tell what is wrong with its configuration", hears: { configWarning: [] } },
  {
    what: "tell of MCP servers that do not start, and of what else it warns",
    hears: {
      "mcpServer/startupStatus/updated": [],
      warning: [],
      guardianWarning: [],
      deprecationNotice: [],
    },
  },
  { what: "tell whether it is logged in", calls: { "account/read": [] } },
];

export interface Lack {
  feature: Feature;
  /** What of it is not there: `thread/fork lastTurnId`. */
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

/** The first feature that this call is a use of. */
export function lackOf(lacks: readonly Lack[], method: string, params: Json): Lack | undefined {
  return lacks.find(({ feature: { calls = {} } }) => {
    const fields = Object.hasOwn(calls, method) ? calls[method] : undefined;
    return fields && (fields.length === 0 || fields.some((field) => params[field] !== undefined));
  });
}

export function lackWords(version: string, { feature, needs }: Lack): string {
  return `codex ${version} cannot ${feature.what}: it has no ${needs.join(", ")}`;
}

/** It was not sent: Codex would refuse it in words of its own, or ignore what it does not know. */
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

/** Without what is vital there is no Codex at all. */
export function tooOldError(version: string, lacks: readonly Lack[]): DispatchError | undefined {
  const vital = lacks.find(({ feature }) => feature.isVital);
  if (vital === undefined) return undefined;
  const why = isNewer(version) ? "this dispatch is too old for it" : "it is too old";
  return downError(`${lackWords(version, vital)}; ${why}, ${testedWords}`, "not_sent", upgradeFor(version));
}

export function isTested(version: string): boolean {
  return Bun.semver.order(version, tested.from) >= 0 && Bun.semver.order(version, tested.to) <= 0;
}

/** Released after this dispatch: what it lacks, no other Codex of today will have. */
export function isNewer(version: string): boolean {
  return /^\d+\.\d+\.\d+/.test(version) && Bun.semver.order(version, tested.to) > 0;
}

/** What helps where this Codex and this dispatch do not fit together. */
export function upgradeFor(version: string): string {
  return isNewer(version)
    ? "upgrade dispatch: it is older than this codex"
    : "npm install -g @openai/codex@latest";
}

export const testedWords = `dispatch was tested with ${tested.from} to ${tested.to}`;
