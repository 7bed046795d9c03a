/** The route of a session to the daemon of another machine. */
import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { shortText } from "../../base/shorten.ts";
import { isNewer, version } from "../../base/version.ts";
import type { Caller } from "../../ops/protocol.ts";
import type { CallTarget, Route } from "../route.ts";
import type { Connection } from "../wire.ts";
import { lostUnder } from "./hostdown.ts";
import type { RemoteHost } from "./hosts.ts";
import { type Dialling, dial } from "./ssh.ts";

export interface RemoteOptions {
  host: RemoteHost;
  /** How long it may take until dispatch there has begun. */
  dialMs: number;
  /** The caller as the other machine should know it. Throws `denied`. */
  admit(caller: Caller, isRead: boolean): Promise<Caller>;
  isStartForbidden: boolean;
  /** A line for the user, at most one a session. */
  warn(line: string): void;
}

export interface RemoteRoute extends Route {
  /** A read was answered by the schema of another version: its result may have other fields. */
  isSkewed(): boolean;
}

export function remoteRoute({ host, dialMs, admit, isStartForbidden, warn }: RemoteOptions): RemoteRoute {
  let dialling: Dialling | undefined;
  let isWarned = false;
  let isSkewed = false;

  const warnOfAge = () => {
    const there = dialling?.connection.daemon()?.version ?? dialling?.dialled()?.version;
    if (isWarned || there === undefined || !isNewer(version, there)) return;
    isWarned = true;
    warn(
      `dispatch ${shortText(there, limits.socket.nameCharsMax)} on ${host.name} is older than this one (${version})`,
    );
  };

  return {
    isSkewed: () => isSkewed,
    callerFor: async (caller, { intent }) => ({ ...(await admit(caller, intent === "read")), cwd: "" }),
    async open(start) {
      dialling = dial(host, { mayStart: !isStartForbidden && start !== "never", dialMs });
      const { connection } = dialling;
      connection.greeted().then(warnOfAge, () => {});
      return { connection };
    },
    // What is sent before the daemon there has answered might be done and never be heard of.
    async beforeWrite(connection) {
      const silent = dialling;
      await connection.greeted().catch((thrown: DispatchError) => {
        throw thrown.code === "daemon_down" && silent ? lostUnder(host, silent.end(), 1) : thrown;
      });
    },
    async onStale(error, _connection: Connection, to) {
      const schema = skewed(host, dialling, error, to);
      isSkewed = true;
      return schema;
    },
    lost: (tries) => lostUnder(host, dialling?.end() ?? { status: null, stderr: "" }, tries),
  };
}

/** The schema by which the daemon there answers a read. Throws `stale` for a write: it might mean something else there. */
function skewed(
  host: RemoteHost,
  dialling: Dialling | undefined,
  error: DispatchError,
  to: CallTarget,
): string {
  const there = dialling?.dialled();
  const running = dialling?.connection.daemon()?.version ?? there?.version ?? "of another version";
  const data = { host: host.name, version, host_version: running };
  const refuse = (message: string, hint: string) => new DispatchError("stale", message, { hint, data });
  const schema = there && Object.hasOwn(there.schemas, to.name) ? there.schemas[to.name]! : undefined;
  if (there === undefined) throw error;
  const upgrade = isNewer(there.version, version)
    ? `install dispatch ${there.version} here`
    : `install dispatch ${version} on ${host.name}`;
  if (schema === undefined)
    throw refuse(`dispatch ${there.version} on ${host.name} does not know this command`, upgrade);
  if (schema === to.hash)
    throw refuse(
      `the daemon on ${host.name} (${running}) is older than dispatch there (${there.version})`,
      `dispatch --host ${host.name} down, then dispatch --host ${host.name} up`,
    );
  if (to.intent !== "read")
    throw refuse(
      `dispatch ${there.version} on ${host.name} and this one (${version}) differ in this command: nothing was done`,
      upgrade,
    );
  return schema;
}
