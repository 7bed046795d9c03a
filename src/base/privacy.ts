/** What other users may do with a file, from its owner and mode. Opens nothing: a command must not wait for that. */
import { DispatchError } from "./error.ts";
import type { Owned } from "./owned.ts";

/** The fault of an existing directory: another user owns it, or can access it. */
export function privacyFault(directory: string, found: Owned, uid = ownUid()): DispatchError | undefined {
  if (found.uid !== uid) return foreign(directory, found.uid, uid);
  if ((found.mode & 0o077) !== 0)
    return new DispatchError("denied", `other users can reach ${directory} (mode ${modeOf(found)})`, {
      hint: `chmod 700 ${quoted(directory)}`,
      data: { path: directory, mode: modeOf(found) },
    });
  return undefined;
}

/** The error for a file of another user. */
export function foreign(directory: string, owner: number, uid: number): DispatchError {
  // A home that root made, as with one `sudo dispatch list`: the user takes it back.
  const hint =
    uid === 0
      ? `sudo -u '#${owner}' dispatch list, or set DISPATCH_HOME to a directory of your own`
      : owner === 0
        ? `sudo chown -R ${uid} ${quoted(directory)}`
        : "set DISPATCH_HOME or DISPATCH_SOCKET to a directory of your own with mode 0700";
  const who = (id: number) => (id === 0 ? "root" : `uid ${id}`);
  return new DispatchError("denied", `${directory} belongs to ${who(owner)}, and you are ${who(uid)}`, {
    hint,
    data: { path: directory, owner, uid },
  });
}

export function ownUid(): number {
  return process.getuid?.() ?? 0;
}

export function modeOf(found: Pick<Owned, "mode">): string {
  return `0${(found.mode & 0o777).toString(8).padStart(3, "0")}`;
}

/** The path in shell quoting. */
export function quoted(path: string): string {
  return /^[\w@./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
