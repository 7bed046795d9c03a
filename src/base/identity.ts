import { ptr } from "bun:ffi";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { libc } from "./libc.ts";
import { refuseShortage } from "./shortage.ts";
import { runSync } from "./spawn.ts";

/**
 * Who a process is. A pid alone never decides: it is reused. The kernel's start time and the boot's id make it a
 * name for ever, so that an orphan of a dead daemon is not confused with another process.
 */
export interface ProcessIdentity {
  pid: number;
  /** The kernel's own start time, opaque. */
  start_time: string;
  boot_id: string;
}

export interface ProcessFacts extends ProcessIdentity {
  group: number;
  /** Dead, but not reaped by its parent: it keeps its pid and its start time. */
  zombie: boolean;
}

/** The process that has this pid now, or undefined. */
export function identityOf(pid: number): ProcessFacts | undefined {
  const row = process.platform === "linux" ? procStat(pid) : psRow(pid);
  return row === undefined ? undefined : { ...row, boot_id: bootId() };
}

/** Whether this very process still runs. A zombie is dead. */
export function isAlive(who: ProcessIdentity): boolean {
  if (who.boot_id !== bootId()) return false;
  const now = identityOf(who.pid);
  return now !== undefined && !now.zombie && now.start_time === who.start_time;
}

/** The pid of its parent; undefined where no such process can be seen. */
export function parentPid(pid: number): number | undefined {
  if (process.platform === "darwin") return darwinParent(pid);
  const fields = statFields(pid);
  return fields && Number(fields[1]);
}

/** The name of its program, as the system shows it; undefined for one that is not there. */
export function nameOf(pid: number): string | undefined {
  const name =
    process.platform === "linux"
      ? readIfThere(`/proc/${pid}/comm`)
      : runSync(["ps", "-o", "comm=", "-p", String(pid)]);
  return name?.trim() || undefined;
}

/** The CPU time of a process, in ms. Undefined when it does not exist. */
export function cpuMsOf(pid: number): number | undefined {
  if (process.platform !== "linux") return psTime(runSync(["ps", "-o", "time=", "-p", String(pid)]));
  const fields = statFields(pid);
  // The kernel counts user and system time in hundredths of a second.
  return fields && (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * Whether the file that a process runs was replaced under its path, or removed: `replaced` has a new file there,
 * `removed` has none. `same` also where the system does not tell (only Linux does).
 */
export function programState(pid: number): "same" | "replaced" | "removed" {
  if (process.platform !== "linux") return "same";
  try {
    const link = readlinkSync(`/proc/${pid}/exe`);
    const path = link.replace(/ \(deleted\)$/, "");
    const running = statSync(`/proc/${pid}/exe`);
    const here = statSync(path, { throwIfNoEntry: false });
    if (here === undefined) return "removed";
    return here.ino === running.ino && here.dev === running.dev ? "same" : "replaced";
  } catch {
    // It ended meanwhile, or is not ours to look at.
    return "same";
  }
}

/** The pids in a process group that still run, zombies left out. */
export function groupMembers(group: number): number[] {
  const rows = process.platform === "linux" ? procRows() : psRows();
  return rows.filter((row) => row.group === group && !row.zombie).map((row) => row.pid);
}

/**
 * Whether any process of a recorded group still runs. The kernel does not give a pid away while a group bears its
 * number, so a stranger under the leader's pid proves the whole group gone.
 */
export function isGroupAlive(leader: ProcessIdentity & { group: number }): boolean {
  if (leader.boot_id !== bootId()) return false;
  const now = identityOf(leader.pid);
  if (now !== undefined && now.start_time !== leader.start_time) return false;
  return groupMembers(leader.group).length > 0;
}

type Row = Omit<ProcessFacts, "boot_id">;

/** From the state on: the name before it may hold blanks and parentheses, so they are counted from its last one. */
function statFields(pid: number): string[] | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function procStat(pid: number): Row | undefined {
  const fields = statFields(pid);
  if (fields === undefined) return undefined;
  const [state, group, startTime] = [fields[0], fields[2], fields[19]];
  if (state === undefined || group === undefined || startTime === undefined) return undefined;
  return { pid, group: Number(group), start_time: startTime, zombie: state === "Z" || state === "X" };
}

function procRows(): Row[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => procStat(Number(name)))
    .filter((row) => row !== undefined);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    const code = (thrown as NodeJS.ErrnoException).code;
    // ESRCH: the process ended between the open and the read.
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    refuseShortage(thrown);
    throw thrown;
  }
}

let bsdInfo: ((pid: number, into: Uint8Array) => number) | undefined;

/** By libproc, since `ps` costs some 10 ms a call. Not run: written from <sys/proc_info.h>. */
function darwinParent(pid: number): number | undefined {
  const procPidTbsdInfo = 3;
  if (bsdInfo === undefined) {
    const { proc_pidinfo } = libc({
      proc_pidinfo: { args: ["i32", "i32", "u64", "ptr", "i32"], returns: "i32" },
    });
    bsdInfo = (of, into) => proc_pidinfo(of, procPidTbsdInfo, 0n, ptr(into), into.length);
  }
  // struct proc_bsdinfo, 136 bytes; pbi_ppid is its fifth 32-bit number.
  const info = new Uint32Array(34);
  return bsdInfo(pid, new Uint8Array(info.buffer)) > 0 ? info[4] : undefined;
}

// macOS has no /proc. Not exercised: written from the manual pages of ps(1) and sysctl(8).
const psColumns = "pid=,pgid=,stat=,lstart=";

function psRow(pid: number): Row | undefined {
  return psParsed(runSync(["ps", "-o", psColumns, "-p", String(pid)]))[0];
}

function psRows(): Row[] {
  return psParsed(runSync(["ps", "-axo", psColumns]));
}

/** `[days-][hours:]minutes:seconds`. */
function psTime(text: string): number | undefined {
  const [, days, hours, minutes, seconds] =
    /^\s*(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  return (
    (((Number(days ?? 0) * 24 + Number(hours ?? 0)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000
  );
}

function psParsed(text: string): Row[] {
  const rows: Row[] = [];
  for (const line of text.split("\n")) {
    const [, pid, group, stat, start] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line) ?? [];
    if (pid === undefined || group === undefined || stat === undefined || start === undefined) continue;
    rows.push({ pid: Number(pid), group: Number(group), start_time: start, zombie: stat.startsWith("Z") });
  }
  return rows;
}

let bootIdSeen: string | undefined;

function bootId(): string {
  bootIdSeen ??=
    process.platform === "linux"
      ? readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()
      : // `{ sec = 1795351805, usec = 0 } Sun Nov ...`: the seconds name the boot.
        (/sec = (\d+)/.exec(runSync(["sysctl", "-n", "kern.boottime"]))?.[1] ?? "unknown");
  return bootIdSeen;
}
