/** Which other machines an agent may use. A person may use each. */
import { fail } from "../../base/error.ts";
import type { AgentPolicy } from "../../contract/words.ts";

export interface HostPolicy {
  agents: AgentPolicy;
  /** The hosts that agents may use, as they are named in a command. */
  hosts: readonly string[];
}

/** Throws `denied`. What the agent may do there, the daemon there decides too: it knows that an agent calls. */
export function authorizeHost(
  { agents, hosts }: HostPolicy,
  { host, isRead, agent }: { host: string; isRead: boolean; agent: string | null },
): void {
  if (agent === null) return;
  if (!hosts.includes(host))
    fail("denied", `agents may not use the host ${host}`, {
      hint: `a person may add it in config.toml: [policy] hosts = [${JSON.stringify(host)}]`,
    });
  if (agents === "read" && !isRead)
    fail("denied", "agents may only read here, so they may only read on other machines", {
      hint: `a person may do it, or set [policy] agents = "guarded"`,
    });
}
