/** `send` to a thread on another machine, or to a pool. */
import type { Receipt } from "../contract/receipt.ts";
import type { Verdict } from "../contract/words.ts";
import type { Away, Draft } from "../core/core.ts";
import type { Ctx } from "./ctx.ts";
import { untilDone } from "./untildone.ts";

interface Sent extends Receipt {
  message_accepted: true;
  verdict?: Verdict;
  timed_out?: boolean;
  last_message?: string | null;
}

export async function sendAway(
  to: Away,
  input: { thread: string; wait: boolean; timeout?: number | undefined },
  draft: Draft,
  { core, caller, signal, emit }: Pick<Ctx, "core" | "caller" | "signal" | "emit">,
): Promise<Sent> {
  const receipt = await core.sendAway({ to, target: input.thread, draft, agent: caller.thread_id });
  if (!input.wait) return { ...receipt, message_accepted: true };
  const { verdict, timed_out } = await untilDone(receipt.receipt, input.timeout, { core, signal, emit });
  const answer = core.answerOf(receipt.receipt);
  return {
    ...core.receipt(receipt.receipt),
    message_accepted: true,
    verdict,
    timed_out,
    last_message: answer,
  };
}
