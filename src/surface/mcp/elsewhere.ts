/** Tool calls for another machine: the argument `host`, which the tools have only where a host is configured. */
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { sessionOn } from "../cli/opensession.ts";
import { hostNamed } from "../remote/hosts.ts";
import type { Session } from "../session.ts";
import type { ToolListing } from "./listing.ts";
import type { Served } from "./run.ts";
import type { Tool } from "./tools.ts";

export interface Elsewhere {
  /** What serves a call on that host. Its connection is kept. Throws `usage` and `not_found` for an unknown host. */
  on(host: unknown, served: Served): Promise<Served>;
  close(): void;
}

export function elsewhere(): Elsewhere {
  const sessions = new Map<string, Session>();
  return {
    async on(name, served) {
      if (typeof name !== "string" || name === "") return fail("usage", "host must be the name of a host");
      const { deps, paths } = served;
      const host = hostNamed(name, await deps.hosts(paths));
      const key = JSON.stringify(host);
      const session = sessions.get(key) ?? (await sessionOn(host, { ...served, globals: {} })).session;
      sessions.delete(key);
      sessions.set(key, session);
      const [oldest] = sessions.keys();
      if (sessions.size > limits.host.atOnceMax && oldest !== undefined) {
        sessions.get(oldest)?.close();
        sessions.delete(oldest);
      }
      // A person who answers here is not known to the daemon there, so it must not be told of one.
      return { ...served, session, isElsewhere: true, askPerson: undefined };
    },
    close() {
      for (const session of sessions.values()) session.close();
    },
  };
}

/** The listing with the argument `host`. */
export function withHosts(
  listing: readonly ToolListing[],
  tools: ReadonlyMap<string, Tool>,
  hosts: readonly string[],
): ToolListing[] {
  const host = { type: "string", description: `run it on another machine: ${hosts.join(", ")}` };
  return listing.map((tool) => {
    const rows = [...(tools.get(tool.name)?.rows.values() ?? [])];
    if (rows.every(({ at }) => at === "client")) return tool;
    const { properties, ...schema } = tool.inputSchema as ToolListing["inputSchema"] & { properties: object };
    return { ...tool, inputSchema: { ...schema, properties: { ...properties, host } } };
  });
}
