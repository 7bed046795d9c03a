/** The session of a command: with the daemon here, or with that of the host that the command names. */
import { readEnv } from "../../base/env.ts";
import { limits } from "../../base/limits.ts";
import type { Paths } from "../../base/paths.ts";
import type { Caller } from "../../ops/protocol.ts";
import type { FarDeps, SurfaceDeps } from "../deps.ts";
import type { RemoteHost } from "../remote/hosts.ts";
import { localRoute } from "../route.ts";
import { openSession, type Session } from "../session.ts";
import type { Globals } from "./globals.ts";
import type { Output } from "./output.ts";

export type SessionDeps = FarDeps & Pick<SurfaceDeps, "index" | "daemonArgv" | "daemonVariables" | "service">;

export interface SessionContext {
  globals: Globals;
  deps: SessionDeps;
  paths: Paths;
  /** Gets lines for the user. Absent: nobody sees them. */
  out?: Pick<Output, "note" | "warn">;
}

export interface Opened {
  session: Session;
  /** A read was answered by another version: the result may have other fields. */
  isSkewed(): boolean;
}

/** The host of a command as it is named: by `--host`, or else by DISPATCH_HOST. Undefined: this machine. */
export function hostNameOf({ host }: Globals): string | undefined {
  return host ?? (readEnv().DISPATCH_HOST || undefined);
}

/** Throws `usage` and `not_found` for a host that is not known. */
export async function hostOf(context: Pick<SessionContext, "globals" | "deps" | "paths">) {
  const name = hostNameOf(context.globals);
  if (name === undefined) return undefined;
  const { hostNamed } = await import("../remote/hosts.ts");
  return hostNamed(name, await context.deps.hosts(context.paths));
}

/** `dialMs`: how long another machine may take until dispatch there has begun. */
export async function sessionOn(
  host: RemoteHost | undefined,
  context: SessionContext,
  dialMs: number = limits.host.dialMs,
): Promise<Opened> {
  const { globals, deps, paths, out } = context;
  const isStartForbidden = globals.start === false || Boolean(readEnv().DISPATCH_NO_START);
  if (host === undefined) {
    const { daemonArgv, daemonVariables } = deps;
    const starting = (note: string) => void out?.note(note);
    const startService = async () => (await deps.service(paths)).startInstalled();
    const route = localRoute({
      paths,
      daemonArgv,
      daemonVariables,
      isStartForbidden,
      starting,
      startService,
    });
    return { session: openSession(route), isSkewed: () => false };
  }
  const [{ remoteRoute }, { admitted }] = await Promise.all([
    import("../remote/route.ts"),
    import("../remote/admit.ts"),
  ]);
  const known = new Map<boolean, Promise<Caller>>();
  const route = remoteRoute({
    host,
    dialMs,
    admit: (caller, isRead) => {
      const ask = () => admitted(caller, { host: host.name, isRead, paths, deps });
      // Who runs this program does not change. Over MCP each call may come from another thread.
      if (caller.kind !== "cli") return ask();
      const answer = known.get(isRead) ?? ask();
      known.set(isRead, answer);
      answer.catch(() => known.delete(isRead));
      return answer;
    },
    isStartForbidden,
    warn: (line) => void out?.warn(line),
  });
  return { session: openSession(route), isSkewed: route.isSkewed };
}
