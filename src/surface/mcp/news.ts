/** Remembers which last messages an agent has been shown, so that no wait repeats them. */
import { limits } from "../../base/limits.ts";
import type { LeanLook } from "../../ops/lean.ts";

export type News = LeanLook["isNews"];

/** A thread has one newest turn, so one entry for each agent and thread is enough. The oldest entries are forgotten. */
export function newsMemory(): News {
  const shown = new Map<string, string>();
  return (thread, turn) => {
    const isNews = shown.get(thread) !== turn;
    shown.delete(thread);
    shown.set(thread, turn);
    if (shown.size > limits.mcp.newsKeptMax) shown.delete(shown.keys().next().value!);
    return isNews;
  };
}
