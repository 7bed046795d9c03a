/** The verbs of the relay. */
import { fail } from "../../base/error.ts";
import type { Receipt } from "../../contract/receipt.ts";
import type { CoreDeps } from "../model/deps.ts";
import { receiptById } from "../state/receipt.ts";
import { type Away, awayOf } from "./address.ts";
import type { RelayEngine } from "./engine.ts";
import type { AwayDraft } from "./send.ts";

export interface RelayVerbs {
  /** What a selector says of another machine; null: it is about a thread here. Throws `usage`. */
  away(selector: string): Away | null;
  sendAway(draft: AwayDraft): Promise<Receipt>;
  /** The last message of the turn that a message started on another machine. */
  answerOf(receipt: string): string | null;
  relay(): ReturnType<RelayEngine["status"]>;
}

export function relayVerbs({ store }: CoreDeps, engine: RelayEngine): RelayVerbs {
  return {
    away(selector) {
      // A title may have a slash. Without a relay nothing else can be meant, with one it is not guessed.
      const [here] = store.lanes.findByTitle(selector);
      if (here && engine.name() === null) return null;
      const away = awayOf(selector);
      if (here && away)
        fail("usage", `"${selector}" is a thread here, and may be one of another machine`, {
          hint: `dispatch send ${here.ref} TEXT`,
        });
      return away;
    },
    async sendAway(draft) {
      return receiptById(store, await engine.send(draft));
    },
    answerOf: (receipt) => store.relay.findRelayed(receipt)?.answer ?? null,
    relay: engine.status,
  };
}
