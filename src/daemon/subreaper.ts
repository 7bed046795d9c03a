/**
 * Makes the daemon the parent of every process that Codex's commands leave behind (Linux: PR_SET_CHILD_SUBREAPER).
 * Otherwise a command that detaches itself would be a child of process 1 and would count as a person.
 */
import { readFileSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import { errorMessage } from "../base/error.ts";
import { identityOf } from "../base/identity.ts";
import { libc } from "../base/libc.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import { isOwnChild } from "../base/spawn.ts";

const setChildSubreaper = 36;
const noHang = 1;

/** Starts to adopt and reap orphans. Returns a function that stops it. */
export function adoptOrphans(clock: Clock, log: Log): () => void {
  if (process.platform !== "linux") return () => {};
  const { prctl, waitpid } = libc({
    prctl: { args: ["i32", "u64", "u64", "u64", "u64"], returns: "i32" },
    waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  });
  if (prctl(setChildSubreaper, 1n, 0n, 0n, 0n) !== 0) {
    log.warn("detached processes of Codex count as a person: prctl failed", {});
    return () => {};
  }
  let cancel = () => {};
  const reap = () => {
    cancel = clock.after(limits.process.reapEveryMs, reap);
    // The runtime reaps the processes that it started. Reaping one of those here would lose its exit status.
    for (const pid of children()) if (!isOwnChild(pid) && identityOf(pid)?.zombie) waitpid(pid, null, noHang);
  };
  const children = (): number[] => {
    try {
      const list = readFileSync(`/proc/self/task/${process.pid}/children`, "latin1");
      return list.split(" ").filter(Boolean).map(Number);
    } catch (thrown) {
      // A kernel without CONFIG_PROC_CHILDREN: a dead process keeps its pid until the daemon exits.
      log.debug("the children of the daemon cannot be listed", { reason: errorMessage(thrown) });
      return [];
    }
  };
  reap();
  return () => cancel();
}
