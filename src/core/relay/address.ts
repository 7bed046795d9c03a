/** Names of machines and pools, and what a selector says of them. */
import { fail } from "../../base/error.ts";
import { splitHost } from "../../base/hostref.ts";
import { limits } from "../../base/limits.ts";

/** A thread on another machine, or whichever machine of a pool takes the message first. */
export type Away = { box: string; ref: string } | { pool: string };

/** A name is one word of a subject of the server: none of them can hold a dot, a wildcard or a space. */
export function isRelayName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(text) && text.length <= limits.relay.nameCharsMax;
}

/** `box/@docs`, `queue@pool`; null: a thread here. Throws `usage` for a name that the relay does not take. */
export function awayOf(selector: string): Away | null {
  const pool = /^queue@(.*)$/.exec(selector)?.[1];
  if (pool !== undefined) return { pool: checked(pool, "pool") };
  const far = splitHost(selector);
  return far && { box: checked(far.host, "machine"), ref: far.ref };
}

function checked(name: string, what: string): string {
  if (isRelayName(name)) return name;
  return fail("usage", `"${name.slice(0, limits.error.valueCharsMax)}" is not the name of a ${what}`, {
    hint: `letters, digits, - and _, at most ${limits.relay.nameCharsMax} of them`,
  });
}
