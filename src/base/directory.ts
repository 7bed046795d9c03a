/** Directories of the user's own: whose they are, who else can reach them, and how one is made. */
import { accessSync, constants, lstatSync, mkdirSync, type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { DispatchError, errorMessage } from "./error.ts";
import { foreign, modeOf, ownUid, privacyFault, quoted } from "./privacy.ts";

/** What is wrong with a directory that must be private, or undefined. A missing one is `not_found`. */
export function directoryFault(directory: string, uid = ownUid()): DispatchError | undefined {
  const found = look(directory);
  if (found === undefined)
    return new DispatchError("not_found", `no such directory: ${directory}`, { hint: "dispatch up" });
  if (found.isSymbolicLink())
    return new DispatchError("denied", `${directory} is a symbolic link: what it points to can be changed`, {
      hint: "set DISPATCH_HOME to the directory that it points to",
    });
  if (!found.isDirectory()) return notDirectory(directory);
  return privacyFault(directory, found, uid);
}

/** Undefined too where nothing is there. */
export function ownerFault(directory: string, uid = ownUid()): DispatchError | undefined {
  const found = look(directory);
  return found === undefined || found.uid === uid ? undefined : foreign(directory, found.uid, uid);
}

/**
 * `mkdir -p` with 0700. Refused inside a directory of another user, root's left out: with `sudo` and the HOME of a user,
 * root would make a home that locks that user out.
 */
export function makeDirectory(directory: string, uid = ownUid()): DispatchError | undefined {
  if (look(directory) !== undefined)
    return folderFault(directory) === "missing" ? notDirectory(directory) : undefined;
  let above = dirname(directory);
  while (look(above) === undefined && above !== dirname(above)) above = dirname(above);
  const owner = look(above)?.uid ?? uid;
  if (owner !== uid && owner !== 0) return foreign(above, owner, uid);
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return undefined;
  } catch (cause) {
    return pathError(`make the directory ${directory}`, cause);
  }
}

function notDirectory(path: string): DispatchError {
  return new DispatchError("usage", `${path} is not a directory`, {
    hint: "set DISPATCH_HOME or DISPATCH_SOCKET to a directory of your own with mode 0700",
  });
}

/** Codes of a path that names nothing that could be: through a file, in a circle of links, too long. */
const impossible = new Set(["ENOTDIR", "ELOOP", "ENAMETOOLONG"]);

/** The error of a failed system call on a path of dispatch's own: `usage` when no such path can be. */
export function pathError(what: string, cause: unknown): DispatchError {
  const { code: reason = "", path } = cause as NodeJS.ErrnoException;
  return new DispatchError(
    impossible.has(reason) ? "usage" : "storage",
    `could not ${what}: ${errorMessage(cause)}`,
    {
      hint: reason === "EACCES" && path ? openUp(path) : "choose another directory with --home",
      cause,
    },
  );
}

/** The command that opens a path to this user, or that shows who closed it. */
export function openUp(path: string): string {
  let above = path;
  // What is in a closed directory cannot be looked at: the directory is to be opened.
  while (!isSeen(above) && above !== dirname(above)) above = dirname(above);
  const { uid } = lstatSync(above);
  if (uid === ownUid()) return `chmod u+rwX ${quoted(above)}`;
  // What a command under sudo made in a folder of this user's own.
  const isOfRoot = uid === 0 && lstatSync(dirname(above)).uid === ownUid();
  return isOfRoot ? `sudo chown -R ${ownUid()} ${quoted(above)}` : `ls -ld ${quoted(above)}`;
}

/** Why this user cannot use a file that is there, or undefined: another user owns it, or its mode forbids it. */
export function fileFault(path: string, uid = ownUid()): DispatchError | undefined {
  const found = look(path);
  if (!found?.isFile()) return undefined;
  if (found.uid !== uid) return foreign(path, found.uid, uid);
  if ((found.mode & 0o600) === 0o600) return undefined;
  return new DispatchError("denied", `${path} cannot be read and written (mode ${modeOf(found)})`, {
    hint: `chmod 600 ${quoted(path)}`,
    data: { path, mode: modeOf(found) },
  });
}

function isSeen(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

export function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw pathError(`look at ${path}`, cause);
  }
}

export function isPlainFile(path: string): boolean {
  return look(path)?.isFile() ?? false;
}

export type FolderFault = "missing" | "closed";

/**
 * Why no command can work in this directory: it is not there, or its mode keeps this user out. What cannot be looked at
 * for another reason (a name too long, a circle of links) is not there.
 */
export function folderFault(path: string): FolderFault | null {
  try {
    if (!statSync(path).isDirectory()) return "missing";
    accessSync(path, constants.X_OK);
    return null;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EACCES" ? "closed" : "missing";
  }
}

/** False only where nothing is: what may not be looked at may well be there. */
export function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code !== "ENOTDIR";
  }
}
