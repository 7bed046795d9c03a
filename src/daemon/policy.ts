/** The rules of the user as core reads them, from the configuration. */
import type { Policy } from "../core/model/deps.ts";
import type { Config } from "./config.ts";
import { relaySettings } from "./relay.ts";
import { rulesOf } from "./rules.ts";

/** Computed once for each state of the file, because every call asks. Throws `usage`. */
export function policyReader(config: () => Config, path: string, home: string): () => Policy {
  let kept: { from: Config; policy: Policy } | undefined;
  return () => {
    const from = config();
    if (kept?.from !== from) kept = { from, policy: policyOf(from, path, home) };
    return kept.policy;
  };
}

function policyOf(config: Config, path: string, home: string): Policy {
  const { policy, history, limits: usage, notify, relay } = config;
  const { request_timeout } = policy;
  return {
    releaseAfter: policy.release_after,
    keepDays: history.keep_days,
    notify,
    attachedQueue: policy.attached_queue,
    usageLimits: { continue: usage.continue, nudge: usage.nudge ?? null },
    budgets: {
      turns: usage.turns ?? null,
      turnsPerCwd: usage.turns_per_cwd ?? null,
      tokensPerDay: usage.tokens_per_day ?? null,
      tokensPerThread: usage.tokens_per_thread ?? null,
      pauseAtPercent: usage.pause_at_percent ?? null,
    },
    maxRunningTurns: policy.max_running_turns ?? null,
    indexedBytesMax: history.max_text_bytes,
    rules: rulesOf(policy),
    agents: policy.agents,
    hosts: policy.hosts,
    relay: relaySettings(relay, path, home),
    requestTimeoutMs: request_timeout === undefined ? null : request_timeout * 1000,
  };
}
