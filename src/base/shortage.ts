/** When the process, or the machine, has no room for another open file. */
import { DispatchError } from "./error.ts";

const codes: ReadonlySet<unknown> = new Set(["EMFILE", "ENFILE"]);

/** Throws `overloaded` then: a file that could not be opened for that reason may well be there, and ours to read. */
export function refuseShortage(thrown: unknown): void {
  if (!codes.has((thrown as { code?: unknown } | null)?.code)) return;
  throw new DispatchError("overloaded", "too many files are open", {
    hint: "end other clients first, or start the daemon with a larger ulimit -n",
    cause: thrown,
  });
}
