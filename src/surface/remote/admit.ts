/**
 * Whether the caller may use another machine, and as whom. The daemon there sees only a program of ssh, so the question
 * goes to the daemon here, which knows the caller from the kernel. An agent is named to the other machine as an agent of
 * this one: a claim that only reduces its rights there.
 */
import { agentElsewhere } from "../../base/agentid.ts";
import { DispatchError } from "../../base/error.ts";
import { machineName } from "../../base/machine.ts";
import { index } from "../../ops/index.ts";
import type { Caller } from "../../ops/protocol.ts";
import { connect } from "../client.ts";
import type { FarDeps, HostQuestion } from "../deps.ts";
import { whenSandboxed } from "../sandboxed.ts";

const op = "host.use";

export type Admission = Omit<HostQuestion, "caller" | "daemonPid"> & {
  deps: Pick<FarDeps, "agentHere">;
};

/** Throws `denied`. */
export async function admitted(caller: Caller, admission: Admission): Promise<Caller> {
  const sandboxed = whenSandboxed();
  if (sandboxed) throw sandboxed;
  const agent = await agentOf(caller, admission);
  return { ...caller, thread_id: agent === null ? null : agentElsewhere(machineName(), agent) };
}

async function agentOf(caller: Caller, { deps, ...asked }: Admission): Promise<string | null> {
  const { host, isRead, paths } = asked;
  const connection = await connect(paths.socket);
  if (!connection) return deps.agentHere({ ...asked, caller, daemonPid: 0 });
  try {
    const { hash } = index.find(({ name }) => name === op)!;
    const answer = await connection.call({ op, schema: hash, input: { to: host, write: !isRead }, caller });
    if ("result" in answer) return answer.result["agent"] as string | null;
    if ("error" in answer && answer.error.code !== "stale") throw DispatchError.fromBody(answer.error);
    // A daemon of another version, or one that went away: what it would look at is looked at here.
    return deps.agentHere({ ...asked, caller, daemonPid: connection.daemon()?.pid ?? 0 });
  } finally {
    connection.close();
  }
}
