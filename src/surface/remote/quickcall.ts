/** The fast path of a plain read on another machine: the daemon here says who calls, and has the answer if it can. */
import { readEnv } from "../../base/env.ts";
import { DispatchError, type ErrorBody } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { pathsOf } from "../../base/paths.ts";
import { toJson } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import { callerHere } from "../caller.ts";
import type { QuickCall, TextAnswer } from "../cli/quick.ts";
import type { FarDeps } from "../deps.ts";
import { nounsOf, placedResult } from "../place.ts";
import type { Answer, Call } from "../wire.ts";
import { admittedRead } from "./admit.ts";
import { hostNamed, type RemoteHost } from "./hosts.ts";
import { dial } from "./ssh.ts";

/** `lost` where `runCli` has to begin anew: another version there, a daemon that has to be started, an agent that calls. */
export async function quickCall(
  { name, hash, input }: QuickCall,
  hostName: string,
  deps: FarDeps,
): Promise<TextAnswer> {
  // Of a host that the shell's environment names, the next command goes there without a flag.
  const isNamed = hostName !== readEnv().DISPATCH_HOST;
  try {
    const caller = callerHere("cli");
    // No connection is made for an agent that may not use the host.
    if (caller.thread_id !== null) return { lost: true };
    const paths = pathsOf(readEnv());
    const host = hostNamed(hostName, await deps.hosts(paths));
    const read = { op: name, schema: hash, input };
    const { as, answer: kept } = await admittedRead(caller, { host: host.name, paths, deps }, read);
    const answer = kept ?? (await dialled(host, { ...read, caller: { ...as, cwd: "" } }));
    if ("lost" in answer || ("error" in answer && isOfDaemon(answer.error))) return { lost: true };
    if (!("result" in answer)) return answer;
    const result = isNamed
      ? placedResult(answer.result, { host: hostName }, nounsOf((await import("../../ops/index.ts")).index))
      : answer.result;
    return { text: new TextEncoder().encode(`${toJson(result)}\n`) };
  } catch (thrown) {
    if (thrown instanceof DispatchError) return { error: thrown.body };
    throw thrown;
  }
}

async function dialled(host: RemoteHost, call: Call): Promise<Answer> {
  const { connection } = dial(host, { mayStart: false, dialMs: limits.host.dialMs });
  try {
    const answer = await connection.call(call);
    return "result" in answer && connection.daemon()?.version !== version ? { lost: true } : answer;
  } finally {
    connection.close();
  }
}

function isOfDaemon({ code }: ErrorBody): boolean {
  return code === "stale" || code === "daemon_down";
}
