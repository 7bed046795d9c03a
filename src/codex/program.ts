/** Whether the executable of the running Codex is still the same file on disk. */
import { programState } from "../base/identity.ts";
import type { AgentStatus } from "../core/model/ports/agent.ts";

/** An upgrade may remove the whole folder of the old program. It counts as replaced when another executable is found. */
export function programWatch(executable: () => Promise<string>) {
  let hasSuccessor = false;
  return {
    of(pid: number): AgentStatus["program"] {
      const state = programState(pid);
      if (state !== "removed") return state;
      executable().then(
        () => {
          hasSuccessor = true;
        },
        () => {
          hasSuccessor = false;
        },
      );
      return hasSuccessor ? "replaced" : "removed";
    },
    forget(): void {
      hasSuccessor = false;
    },
  };
}
