/** Who runs this program, for a client that uses another machine while no daemon here can say it. */
import { authorizeHost } from "../core/policy/hosts.ts";
import type { HostQuestion } from "../surface/deps.ts";
import { agentPolicyIn } from "./config.ts";
import { callerFrom, originOf } from "./origin.ts";

/** The thread of the agent that runs it; null: a person does. Throws `denied`. */
export function agentHere({ caller, host, isRead, paths, daemonPid }: HostQuestion): string | null {
  const agent = callerFrom(() => originOf(process.pid, undefined, daemonPid), caller).thread_id;
  if (agent !== null) authorizeHost(agentPolicyIn(paths.config), { host, isRead, agent });
  return agent;
}
