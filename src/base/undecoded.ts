/**
 * Arguments, variables and the current directory are bytes. The runtime silently replaces what is not UTF-8 with U+FFFD
 * (measured), and the result may be the name of another file. A name that really holds U+FFFD is taken as it is, and so
 * is everything where the system does not show the bytes (macOS, whose file names are UTF-8).
 */
import type { EnvName } from "./env.ts";
import { fail } from "./error.ts";

// Loaded only when it is needed: this file is on the path of every command.
const fs = () => require("node:fs") as typeof import("node:fs");

const replacement = "\ufffd";

/** Variables that name files of dispatch and of Codex. */
const places: readonly EnvName[] = [
  "HOME",
  "DISPATCH_HOME",
  "DISPATCH_SOCKET",
  "DISPATCH_DB",
  "DISPATCH_CONFIG",
  "DISPATCH_CODEX",
  "CODEX_HOME",
];

/** Throws `usage`. */
export function refuseUndecodedArguments(argv: readonly string[]): void {
  if (!argv.some((word) => word.includes(replacement)) || isText("/proc/self/cmdline")) return;
  fail("usage", "an argument is not well-formed UTF-8", {
    hint: "a text can come from a file: --text-file PATH",
  });
}

/** Throws `usage`. */
export function refuseUndecodedPlaces(env: { [name in EnvName]?: string | undefined }): void {
  // A loop: the first use of a method such as `find` takes 0.1 ms of the start (measured).
  for (const name of places)
    if (env[name]?.includes(replacement) && !isText("/proc/self/environ"))
      fail("usage", `${name} is not well-formed UTF-8`, { hint: `set ${name} to a path in UTF-8` });
}

/** Throws `usage` when `path`, said to be the current directory, is another one. */
export function refuseOtherDirectory(path: string): void {
  if (!path.includes(replacement) || !fs().existsSync(path)) return;
  const [named, current] = [fs().statSync(path), fs().statSync(".")];
  if (named.ino === current.ino && named.dev === current.dev) return;
  fail("usage", "the name of the current directory is not well-formed UTF-8", {
    hint: "cd to a directory whose name is",
  });
}

function isText(file: string): boolean {
  if (!fs().existsSync(file)) return true;
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(fs().readFileSync(file));
    return true;
  } catch {
    return false;
  }
}
