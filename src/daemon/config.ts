/** Reads config.toml of the home, again after each change. */

import { statSync } from "node:fs";
import * as v from "valibot";
import { readBounded } from "../base/bounded.ts";
import { errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { agentPolicies, type HoldReason } from "../contract/words.ts";
import type { HostPolicy } from "../core/policy/hosts.ts";
import { seen } from "../ops/fields.ts";
import { hostsField } from "./hosts.ts";
import { notifyField } from "./notify.ts";
import { relayField } from "./relay.ts";
import { ruleFields } from "./rules.ts";
import { tableSchemas } from "./tables.ts";
import { readToml } from "./toml.ts";

const reasons = ["failed", "stopped", "crashed"] as const satisfies readonly HoldReason[];

const whole = v.pipe(v.number(), v.integer(), v.minValue(1));

const schema = v.strictObject({
  ...tableSchemas,
  policy: v.optional(
    v.strictObject({
      /** Folders whose repositories' configuration is used without limits. */
      trusted: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
      attached_queue: v.optional(v.boolean(), false),
      release_after: v.optional(v.array(v.picklist(reasons)), []),
      max_running_turns: v.optional(whole),
      ...ruleFields,
      /**
       * What a caller in a Codex thread may do. guarded: read, send, create threads that may do no more than itself, and
       * manage and answer those. read: only read. free: all that the user may do, except answer its own questions.
       */
      agents: v.optional(v.picklist(agentPolicies), "guarded"),
      /** Other machines that such a caller may use: names of `[hosts]` and of the relay, addresses as they are typed, pools as `queue@NAME`. */
      hosts: v.optional(v.array(v.pipe(v.string(), v.nonEmpty())), []),
      request_timeout: v.optional(
        v.pipe(v.number(), v.minValue(1), v.maxValue(limits.input.requestTimeoutMaxMs / 1000)),
      ),
    }),
    {},
  ),
  /** What follows a usage limit of the account, and limits of the user's own. */
  limits: v.optional(
    v.strictObject({
      /** When the limit ends, queued texts are delivered (`queue`), or held until a person releases them (`hold`). */
      continue: v.optional(v.picklist(["queue", "hold"]), "queue"),
      /** A text to queue, when the limit ends, in each thread whose turn the limit interrupted. */
      nudge: v.optional(v.pipe(v.string(), seen)),
      /** Turns that run at a time, in all threads and in those of one directory. */
      turns: v.optional(whole),
      turns_per_cwd: v.optional(whole),
      /** Input and output tokens, of all threads on one day and of one thread. */
      tokens_per_day: v.optional(whole),
      tokens_per_thread: v.optional(whole),
      /** No turn starts while a window of the account is used to this percentage. */
      pause_at_percent: v.optional(v.pipe(v.number(), v.minValue(1), v.maxValue(100))),
    }),
    {},
  ),
  notify: notifyField,
  hosts: hostsField,
  relay: relayField,
  app_server: v.optional(
    v.strictObject({
      command: v.optional(v.pipe(v.string(), v.nonEmpty())),
      /** Names of more environment variables for Codex, and so for every thread's shell. */
      env: v.optional(
        v.array(v.pipe(v.string(), v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be the name of a variable"))),
        [],
      ),
    }),
    {},
  ),
  history: v.optional(
    v.strictObject({
      keep_days: v.optional(whole, limits.event.keepDays),
      max_text_bytes: v.optional(
        v.pipe(whole, v.maxValue(limits.input.textBytesMax)),
        limits.search.indexedBytesMax,
      ),
    }),
    {},
  ),
});

export type Config = v.InferOutput<typeof schema>;

/** Throws `usage`, naming file, line and the nearest right key. No file is the defaults. */
export function readConfig(path: string): Config {
  return readToml(path, schema);
}

const commandOnly = v.object({ app_server: schema.entries.app_server });

/** The Codex to run. Reads only its own table: a mistake elsewhere in the file must not stop every thread. */
export function configuredCodex(path: string): string | undefined {
  return readToml(path, commandOnly).app_server.command;
}

/** `[app_server] env`. Empty for a broken file: the daemon starts, and the commands that need the file report the error. */
export function passedVariables(path: string): readonly string[] {
  try {
    return readToml(path, commandOnly).app_server.env;
  } catch {
    return [];
  }
}

/** What agents may do, for a client that finds no daemon to ask. Throws `usage` for a broken file. */
export function agentPolicyIn(path: string): HostPolicy {
  const { agents, hosts } = readConfig(path).policy;
  return { agents, hosts };
}

/** Of what may not be looked at there is none: reading it says why. */
function stampOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat ? `${stat.mtimeMs} ${stat.size}` : "none";
  } catch {
    return undefined;
  }
}

/** Caches the configuration until the file changes (mtime or size). */
export function configReader(path: string): () => Config {
  let kept: { stamp: string | undefined; config: Config } | undefined;
  return () => {
    const stamp = stampOf(path);
    if (stamp === undefined || kept?.stamp !== stamp) kept = { stamp, config: readConfig(path) };
    return kept.config;
  };
}

/** The text of a file that a configuration names. Throws `usage`: unreadable, missing, too large, not UTF-8. */
export function readTextFile(path: string): string {
  try {
    const bytes = readBounded(path, limits.input.textBytesMax);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (thrown) {
    fail("usage", `the text in ${path} cannot be read: ${errorMessage(thrown)}`, {
      hint: `edit ${path}`,
      cause: thrown,
    });
  }
}
