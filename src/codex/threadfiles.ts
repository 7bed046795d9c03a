/** Finds threads by their files: `sessions/YYYY/MM/DD/rollout-...-ID.jsonl` in Codex's home, by local day (facts F67). */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { iso } from "../base/clock.ts";
import { limits } from "../base/limits.ts";

const idAtEnd = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/;

/** The ids of threads whose files were created on that day, the day before or the day after: time zones may differ. */
export async function threadsOfDay(home: string | null, at: number): Promise<string[]> {
  if (home === null) return [];
  const days = [-1, 0, 1].map((days) => iso(at + days * limits.timer.dayMs).slice(0, 10));
  const names = await Promise.all(days.map((day) => namesIn(join(home, "sessions", ...day.split("-")))));
  return names.flat().flatMap((name) => idAtEnd.exec(name)?.[1] ?? []);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // No thread was created on that day.
    return [];
  }
}
