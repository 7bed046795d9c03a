/** The errors of a machine that cannot be used now: what ssh said, and the next command. */
import { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { shortText } from "../../base/shorten.ts";
import { cell } from "../../base/text.ts";
import { safeObject } from "./dialline.ts";
import type { RemoteHost } from "./hosts.ts";

/** How ssh ended. `status` is null while it runs, and when a signal ended it. */
export interface SshEnd {
  status: number | null;
  stderr: string;
}

function hostDown(message: string, hint: string, { name }: RemoteHost): DispatchError {
  return new DispatchError("host_down", message, { hint, data: { host: name } });
}

/** The connection ended before dispatch on the host has said a word. */
export function notReached(host: RemoteHost, end: SshEnd): DispatchError {
  const { name, command, destination } = host;
  const said = wordsOf(end.stderr);
  const colon = said === "" ? "" : `: ${said}`;
  // The shell's own status for a command that it does not find.
  if (end.status === 127)
    return hostDown(
      `${name} has no dispatch${colon}`,
      `install dispatch there, or name its path in config.toml: [hosts.${name}] command = "/path/to/dispatch"`,
      host,
    );
  if (/unknown command \\?"dial-stdio/.test(end.stderr))
    return hostDown(
      `the dispatch on ${name} is too old to be used from another machine`,
      `install this version there; see: ssh ${destination} ${command} --version`,
      host,
    );
  if (end.status === 255 || end.status === null)
    return hostDown(`${name} cannot be reached${colon || ": ssh said nothing"}`, hintFor(said, host), host);
  return hostDown(
    `dispatch on ${name} ended with status ${end.status}${colon}`,
    `ssh ${destination} ${command} --version`,
    host,
  );
}

function hintFor(said: string, { destination }: RemoteHost): string {
  if (/host key/i.test(said))
    return `compare the key of the host, then accept it once by hand: ssh ${destination}`;
  if (/permission denied|authentication/i.test(said))
    return `ssh must log in without a question: ssh-add, then ssh ${destination} true`;
  return `ssh ${destination} true`;
}

export function tooLate({
  host,
  what,
  ms,
  end,
}: {
  host: RemoteHost;
  what: string;
  ms: number;
  end: SshEnd;
}) {
  const said = wordsOf(end.stderr);
  const more = said === "" ? "" : `: ${said}`;
  return hostDown(`${host.name} ${what} within ${ms / 1000} s${more}`, `ssh ${host.destination} true`, host);
}

/** The connection was lost after the daemon there had answered. */
export function lostUnder(host: RemoteHost, end: SshEnd, tries: number): DispatchError {
  const said = wordsOf(end.stderr);
  const times = tries === 1 ? "" : ` ${tries} times`;
  return hostDown(
    `the connection to ${host.name} was lost${times} before the answer${said === "" ? "" : `: ${said}`}`,
    `dispatch --host ${host.name} daemon status`,
    host,
  );
}

/** The last lines, without control characters. An error of dispatch there is shown by its message. */
function wordsOf(stderr: string): string {
  const lines = stderr.split(/\r?\n/).filter((line) => line.trim() !== "");
  const said = lines.slice(-3).map((line) => {
    const error = safeObject(line)?.["error"] as { message?: unknown } | undefined;
    return typeof error?.message === "string" ? error.message : line;
  });
  return said.length === 0 ? "" : cell(shortText(said.join("; "), limits.host.wordsCharsMax));
}
