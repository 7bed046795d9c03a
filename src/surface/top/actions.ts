/** Does what an update of the board wants, and reports how it went. */
import { DispatchError, errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { newKey } from "../../base/random.ts";
import type { RequestView } from "../../contract/request.ts";
import type { Calls } from "./daemon.ts";
import type { Effect, Item } from "./model.ts";
import type { Happened } from "./update.ts";

type Outside = Exclude<Effect, { do: "quit" | "suspend" }>;

export function actionsOf({ call }: Pick<Calls, "call">, happen: (happened: Happened) => void) {
  /** The text that was sent last. The same again, after a failure, is the same message: it has the same key. */
  let last = { words: "", key: "" };

  const did: { [K in Outside["do"]]: (effect: Extract<Outside, { do: K }>) => Promise<Happened> } = {
    async tail({ ref }) {
      const { tailTurns: turns, tailItems: limit } = limits.top;
      try {
        const { items } = await call("thread.tail", { thread: ref, turns, limit });
        return { is: "tail", ref, items: items as Item[] };
      } catch (thrown) {
        return { is: "tailfailed", ref, message: errorMessage(thrown) };
      }
    },
    async request({ id }) {
      return { is: "request", request: (await call("request.get", { id })) as unknown as RequestView };
    },
    async answer({ id, input }) {
      const { decision } = await call("request.answer", { id, ...input });
      return { is: "done", text: `${id}: ${decision ?? "answered"}` };
    },
    async send({ ref, text, mode }) {
      const words = JSON.stringify([ref, mode, text]);
      if (last.words !== words) last = { words, key: newKey() };
      const { state } = await call("message.send", { thread: ref, text, mode, idempotency_key: last.key });
      last = { words: "", key: "" };
      return { is: "done", text: `accepted: ${String(state)}` };
    },
    async stop({ ref }) {
      const { state } = await call("thread.stop", { thread: ref });
      return { is: "done", text: `${ref}: ${stopWords[String(state)] ?? state}` };
    },
  };

  return (effect: Outside): void => {
    const run = did[effect.do] as (effect: Outside) => Promise<Happened>;
    run(effect).then(happen, (thrown: unknown) => happen({ is: "failed", error: bodyOf(thrown) }));
  };
}

const stopWords: Readonly<Record<string, string>> = {
  stopped: "stopped",
  pending: "interrupt requested; not all of it has ended yet",
  nothing_running: "no turn was running",
};

function bodyOf(thrown: unknown) {
  return (thrown instanceof DispatchError ? thrown : new DispatchError("internal", errorMessage(thrown)))
    .body;
}
