/** A reply that dispatch sends by itself. When the child is gone, so is its request. */
import { errorMessage } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Epoch } from "../model/ports/agent.ts";
import type { AgentReply } from "../model/ports/request.ts";

export function sendReply({ agent, log }: CoreDeps, epoch: Epoch, reply: AgentReply): void {
  agent
    .reply(epoch, reply)
    .catch((thrown: unknown) => log.warn("an answer did not reach Codex", { reason: errorMessage(thrown) }));
}
