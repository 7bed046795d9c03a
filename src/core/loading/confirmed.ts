import { DispatchError } from "../../base/error.ts";

/** Waits for a call. A call that timed out has succeeded if `isDone` reads back that Codex carried it out. */
export async function confirmed(call: Promise<void>, isDone: () => Promise<boolean>): Promise<void> {
  try {
    await call;
  } catch (thrown) {
    if (!(thrown instanceof DispatchError) || thrown.code !== "timeout" || !(await isDone())) throw thrown;
  }
}
