/** `[relay]`: the server between machines, and what this machine does there. */
import { dirname } from "node:path";
import * as v from "valibot";
import { limits } from "../base/limits.ts";
import { watchableKinds } from "../contract/events.ts";
import type { RelaySettings } from "../core/model/ports/relay.ts";
import { isRelayName } from "../core/relay/address.ts";
import { absolute } from "./tables.ts";

const word = v.pipe(v.string(), v.nonEmpty());
const name = v.pipe(
  v.string(),
  v.check(isRelayName, `must be letters, digits, - and _, at most ${limits.relay.nameCharsMax} of them`),
);
const whole = v.pipe(v.number(), v.integer(), v.minValue(1));

export const relayField = v.optional(
  v.strictObject({
    /** One server, or those of a cluster. */
    url: v.union([word, v.pipe(v.array(word), v.minLength(1), v.maxLength(limits.relay.serversMax))]),
    creds: v.optional(word),
    /** Of certificate authorities, where the system does not know the server's. */
    ca: v.optional(word),
    /** The name of this machine. */
    name,
    /** Copies of each stream that this machine makes at the server. */
    replicas: v.optional(v.pipe(whole, v.maxValue(5)), 1),
    /** Kinds of events that go back to the machine whose message they are about. */
    publish: v.optional(v.array(v.picklist(watchableKinds)), []),
    /** The pools that this machine takes messages from, and the threads that it makes for them. */
    pools: v.optional(
      v.pipe(
        v.record(
          name,
          v.strictObject({
            cwd: v.optional(word),
            preset: v.optional(v.union([word, v.array(word)])),
            at_once: v.optional(whole, limits.relay.atOnce),
          }),
        ),
        v.check(
          (pools) => Object.keys(pools).length <= limits.relay.poolsMax,
          `takes at most ${limits.relay.poolsMax} pools`,
        ),
      ),
      {},
    ),
  }),
);

/** Paths are relative to the configuration file. */
export function relaySettings(
  given: v.InferOutput<typeof relayField>,
  file: string,
  home: string,
): RelaySettings | null {
  if (!given) return null;
  const path = (one: string | undefined) => (one === undefined ? null : absolute(one, dirname(file), home));
  const list = (one: string | string[] | undefined) => (one === undefined ? [] : [one].flat());
  return {
    servers: list(given.url),
    creds: path(given.creds),
    ca: path(given.ca),
    name: given.name,
    replicas: given.replicas,
    publish: given.publish,
    pools: Object.fromEntries(
      Object.entries(given.pools).map(([pool, { cwd, preset, at_once }]) => [
        pool,
        { cwd: path(cwd), presets: list(preset), atOnce: at_once },
      ]),
    ),
  };
}
