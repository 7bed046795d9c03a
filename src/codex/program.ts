/** What became of the file that a running Codex was started from. */
import { programState } from "../base/identity.ts";
import type { AgentStatus } from "../core/model/ports/agent.ts";

/** An upgrade may remove the whole folder of the old program: where another one is found, it was replaced. */
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
