/**
 * Whether the caller may use another machine, and as whom. The daemon there sees only a program of ssh, so the question
 * goes to the daemon here, which knows the caller from the kernel. An agent is named to the other machine as an agent of
 * this one: a claim that only reduces its rights there.
 */
import { callerElsewhere } from "../../base/agentid.ts";
import { readEnv } from "../../base/env.ts";
import { DispatchError } from "../../base/error.ts";
import { index } from "../../ops/index.ts";
import type { Caller } from "../../ops/protocol.ts";
import { connect } from "../client.ts";
import type { FarDeps, HostQuestion } from "../deps.ts";
import { whenSandboxed } from "../sandboxed.ts";
import type { Answer, Call, Row } from "../wire.ts";

export type Admission = Omit<HostQuestion, "caller" | "daemonPid"> & {
  deps: Pick<FarDeps, "agentHere">;
};

/** The caller as the other machine should know it. Throws `denied`. */
export async function admitted(caller: Caller, admission: Admission): Promise<Caller> {
  const { host, isRead } = admission;
  return (await asked(caller, admission, "host.use", { to: host, write: !isRead })).as;
}

/** The same for a read, with its answer if the daemon here has a connection to that machine open. Throws `denied`, and the errors of a name. */
export async function admittedRead(
  caller: Caller,
  admission: Omit<Admission, "isRead">,
  read: Pick<Call, "op" | "schema" | "input">,
): Promise<{ as: Caller; answer: Answer | null }> {
  const call = JSON.stringify({ ssh: readEnv().DISPATCH_SSH ?? null, ...read });
  const { as, out } = await asked(caller, { ...admission, isRead: true }, "host.read", {
    to: admission.host,
    call,
  });
  return { as, answer: (out?.["answer"] ?? null) as Answer | null };
}

/** Of a daemon of another version, and of an answer of the other machine that is too large to be passed on. */
const notAnswered: ReadonlySet<string> = new Set(["stale", "too_large"]);

/** `out`: what the daemon here said. Undefined: none could be asked, and what it would look at was looked at here. */
async function asked(
  caller: Caller,
  { deps, ...question }: Admission,
  op: "host.use" | "host.read",
  input: Row,
): Promise<{ as: Caller; out: Row | undefined }> {
  const sandboxed = whenSandboxed();
  if (sandboxed) throw sandboxed;
  const connection = await connect(question.paths.socket);
  let out: Row | undefined;
  try {
    if (connection) {
      const { hash } = index.find(({ name }) => name === op)!;
      const answer = await connection.call({ op, schema: hash, input, caller });
      if ("error" in answer && !notAnswered.has(answer.error.code))
        throw DispatchError.fromBody(answer.error);
      if ("result" in answer) out = answer.result;
    }
    // A daemon of another version, or one that went away.
    const agent = out
      ? (out["agent"] as string | null)
      : await deps.agentHere({ ...question, caller, daemonPid: connection?.daemon()?.pid ?? 0 });
    const as = { ...caller, thread_id: callerElsewhere(agent) };
    return { as, out };
  } finally {
    connection?.close();
  }
}
