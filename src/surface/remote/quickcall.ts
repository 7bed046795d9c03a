/** The fast path of a plain read on another machine: ssh starts while the daemon here says who calls. */
import { readEnv } from "../../base/env.ts";
import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { pathsOf } from "../../base/paths.ts";
import { toJson } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import { callerHere } from "../caller.ts";
import type { QuickCall, TextAnswer } from "../cli/quick.ts";
import type { FarDeps } from "../deps.ts";
import { nounsOf, placedResult } from "../place.ts";
import { admitted } from "./admit.ts";
import { hostNamed } from "./hosts.ts";
import { dial } from "./ssh.ts";

/** `lost` where `runCli` has to begin anew: another version there, a daemon that has to be started, an agent that calls. */
export async function quickCall(
  { name, hash, input }: QuickCall,
  hostName: string,
  deps: FarDeps,
): Promise<TextAnswer> {
  const caller = callerHere("cli");
  // No connection is made for an agent that may not use the host.
  if (caller.thread_id !== null) return { lost: true };
  const paths = pathsOf(readEnv());
  try {
    const host = hostNamed(hostName, await deps.hosts(paths));
    const { connection } = dial(host, { mayStart: false, dialMs: limits.host.dialMs });
    // Of a host that the shell's environment names, the next command goes there without a flag. Loaded while ssh works.
    const isNamed = hostName !== readEnv().DISPATCH_HOST;
    const nouns = isNamed ? import("../../ops/index.ts").then(({ index }) => nounsOf(index)) : undefined;
    try {
      const as = await admitted(caller, { host: host.name, isRead: true, paths, deps });
      const answer = await connection.call({ op: name, schema: hash, input, caller: { ...as, cwd: "" } });
      if ("result" in answer && connection.daemon()?.version !== version) return { lost: true };
      if ("error" in answer && (answer.error.code === "stale" || answer.error.code === "daemon_down"))
        return { lost: true };
      if (!("result" in answer)) return answer;
      const result = nouns ? placedResult(answer.result, { host: hostName }, await nouns) : answer.result;
      return { text: new TextEncoder().encode(`${toJson(result)}\n`) };
    } finally {
      connection.close();
    }
  } catch (thrown) {
    if (thrown instanceof DispatchError) return { error: thrown.body };
    throw thrown;
  }
}
