/** The turns that run, below the events of `watch --follow`: how long each has run, and what it did last. */
import { limits } from "../base/limits.ts";
import { cell, type Look, paint, span } from "../base/text.ts";
import { type EventKind, turnEnds } from "../contract/events.ts";
import type { FooterLines } from "./op.ts";

interface Running {
  since: number;
  last: string;
}

export function runningTurns(): FooterLines {
  const turns = new Map<string, Running>();

  function note({ kind, thread, at, data }: Record<string, unknown>): boolean {
    if (kind === "codex.down" || kind === "daemon.down") turns.clear();
    if (typeof kind !== "string" || typeof thread !== "string") return true;
    const { preview } = (data ?? {}) as { preview?: unknown };
    const last = typeof preview === "string" ? preview : "";
    if (kind === "turn.started" || kind === "turn.running")
      turns.set(thread, { since: Date.parse(String(at)), last });
    else if (turnEnds.includes(kind as EventKind)) turns.delete(thread);
    else if (kind === "item.completed") {
      const turn = turns.get(thread);
      if (turn && last !== "") turn.last = last;
    }
    return kind !== "turn.running";
  }

  function lines(look: Look): string[] {
    const longest = [...turns].sort(([, one], [, other]) => one.since - other.since);
    const shown = longest.slice(0, limits.client.footerLinesMax).map(([thread, { since, last }]) => {
      const head = `${paint("cyan", "runs")}  ${cell(thread).padEnd(6)}  ${span(Math.max(0, look.now - since) / 1000).padStart(4)}`;
      return `${head}  ${paint("dim", cell(last, Math.max(0, look.width - 21)))}`;
    });
    const more = longest.length - shown.length;
    return more > 0 ? [...shown, paint("dim", `and ${more} more`)] : shown;
  }

  return { note, lines };
}
