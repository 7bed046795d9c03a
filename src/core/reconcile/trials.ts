/** Suspects go one at a time: who waits for a trial is looked at more often than the loop comes by. */
import { limits } from "../../base/limits.ts";
import { inLine } from "../loading/blame.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Ref } from "../model/ports/rows.ts";

/** `look` never rejects. Answers what to call where a suspect may wait. */
export function trials(deps: CoreDeps, look: (ref: Ref) => Promise<unknown>): () => void {
  let isSoon = false;

  function soon(): void {
    if (isSoon || inLine(deps).length === 0) return;
    isSoon = true;
    deps.clock.after(limits.loop.suspectRetryMs, () => {
      isSoon = false;
      for (const ref of inLine(deps)) void look(ref);
      soon();
    });
  }

  return soon;
}
