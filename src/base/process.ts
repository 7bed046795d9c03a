/**
 * What the kernel says of another process: its parent, its environment, and what confines it. Linux reads /proc. macOS
 * has none: there the parent comes from libproc, and neither the environment nor a confinement is known [not run].
 */
import { closeSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { readUpTo } from "./bounded.ts";
import { parentPid } from "./identity.ts";
import { limits } from "./limits.ts";
import { refuseShortage } from "./shortage.ts";

/** How the kernel restricts a process. Two processes outside any sandbox have equal ones. */
export interface Confinement {
  /** Namespaces, by the kernel's own names, e.g. `user:[4026531837]`. */
  user: string;
  mount: string;
  /** PR_SET_NO_NEW_PRIVS. */
  isNoNewPrivs: boolean;
  /** A seccomp filter decides its system calls. */
  isFiltered: boolean;
}

/** Each throws `overloaded` when no more files can be opened. */
export interface Processes {
  /** Undefined: there is no such process, or it may not be looked at. */
  parentOf(pid: number): number | undefined;
  /** The bytes of its environment at its last exec, `NAME=value` ended by NUL each. Undefined: it may not be read. */
  environmentOf(pid: number): Buffer | undefined;
  /** Undefined when it may not be read, or when this system does not report it. */
  confinementOf(pid: number): Confinement | undefined;
}

export const systemProcesses: Processes = {
  parentOf: parentPid,
  environmentOf: (pid) => readHead(`/proc/${pid}/environ`),
  confinementOf(pid) {
    if (pid !== process.pid) return readConfinement(pid);
    own ??= readConfinement(pid);
    return own;
  },
};

/** Nothing here changes it, and it is asked for at each connection. */
let own: Confinement | undefined;

function readConfinement(pid: number): Confinement | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return {
      user: readlinkSync(`/proc/${pid}/ns/user`),
      mount: readlinkSync(`/proc/${pid}/ns/mnt`),
      isNoNewPrivs: /^NoNewPrivs:\s*1$/m.test(status),
      isFiltered: /^Seccomp:\s*[12]$/m.test(status),
    };
  } catch (thrown) {
    refuseShortage(thrown);
    // Gone, or another user's: the caller decides what that means.
    return undefined;
  }
}

function readHead(path: string): Buffer | undefined {
  try {
    const fd = openSync(path, "r");
    try {
      return readUpTo(fd, limits.process.environmentBytesMax);
    } finally {
      closeSync(fd);
    }
  } catch (thrown) {
    refuseShortage(thrown);
    return undefined;
  }
}

/** The value of a variable in such an environment; undefined where it is not set. */
export function variableIn(environment: Buffer, name: string): string | undefined {
  const key = `${name}=`;
  for (let at = environment.indexOf(key); at >= 0; at = environment.indexOf(key, at + 1)) {
    if (at > 0 && environment[at - 1] !== 0) continue;
    const end = environment.indexOf(0, at);
    return environment.toString("utf8", at + key.length, end < 0 ? undefined : end);
  }
  return undefined;
}
