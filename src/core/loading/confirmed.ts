import { DispatchError } from "../../base/error.ts";

/** A call that Codex did not answer in time, and carried out all the same, was done: `isDone` reads that back. */
export async function confirmed(call: Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
  try {
    await call;
  } catch (thrown) {
    if (!(thrown instanceof DispatchError) || thrown.code !== "timeout" || !(await isDone())) throw thrown;
  }
}
