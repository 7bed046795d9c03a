/** The registry, looked at without the daemon and without changing it. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { look, ownerFault } from "../../base/directory.ts";
import { limits } from "../../base/limits.ts";
import type { Inspection } from "../../store/inspect.ts";
import { type Asked, bad, badOf, type Finding, ok, skipped, warn } from "./check.ts";
import { missingDirectory, private_ } from "./files.ts";

export async function checkRegistry({ paths }: Asked, clock: Clock): Promise<Finding> {
  const { db, home, lock } = paths;
  if (ownerFault(home)) return skipped("the home is another user's: to open its registry makes files there");
  // The daemon makes its home by itself, and no directory that DISPATCH_DB names.
  const homeless = dirname(db) === home ? undefined : missingDirectory(dirname(db), "the registry");
  if (homeless) return homeless;
  const { cureOf, withCure } = await import("../registry.ts");
  const recovery = cureOf(db);
  const found = look(db);
  if (found === undefined) {
    if (look(`${db}-wal`))
      return bad(`${db} is gone, and its last changes are still beside it`, { recovery });
    return skipped(`${db} is not there yet`, { recovery: "dispatch up" });
  }
  for (const path of [db, `${db}-wal`, `${db}-shm`, lock]) {
    const open = private_(path, "file");
    if (open) return open;
  }
  if (found.size === 0) return bad(`${db} is empty`, { recovery });
  const { inspectRegistry } = await import("../../store/inspect.ts");
  let seen: Inspection;
  try {
    seen = inspectRegistry(db);
  } catch (thrown) {
    return badOf(withCure(thrown, db));
  }
  return judge(db, seen, recovery) ?? leftovers(db, clock) ?? sound(db, found.size, seen);
}

function judge(path: string, seen: Inspection, recovery: string): Finding | undefined {
  const data = { path, ...seen };
  if (seen.faults.length > 0) return bad(`${path} is damaged: ${seen.faults.join("; ")}`, { recovery, data });
  if (seen.schema > seen.supported)
    return bad(`${path} has schema ${seen.schema}; this dispatch knows ${seen.supported}`, {
      recovery: "install the dispatch that wrote it, or a newer one",
      data,
    });
  return undefined;
}

function sound(path: string, bytes: number, seen: Inspection): Finding {
  const data = { path, bytes, ...seen };
  if (seen.schema < seen.supported)
    return ok(`schema ${seen.schema}; the next daemon migrates it to ${seen.supported}`, { data });
  const counts = Object.entries(seen.counts).map(([what, count]) => `${count} ${what}`);
  return ok(`schema ${seen.schema}, sound; ${counts.join(", ")}`, { data });
}

/** Copies that were cut off: nobody ever opens them, and they take room. */
function leftovers(db: string, clock: Clock): Finding | undefined {
  const isOld = (path: string) => clock.now() - statSync(path).mtimeMs > limits.daemon.leftoverAgeMs;
  const found = readdirSync(dirname(db))
    .filter((name) => name.startsWith(`${basename(db)}.`) && /\.[0-9a-f]{8}\.partial(-\w+)?$/.test(name))
    .map((name) => join(dirname(db), name))
    .filter(isOld);
  if (found.length === 0) return undefined;
  return warn(`half-written copies of the registry, left by what was cut off: ${found.length}`, {
    detail: found.join(", "),
    recovery: "dispatch doctor --fix",
    mend() {
      for (const path of found) rmSync(path);
      return `removed ${found.join(", ")}`;
    },
  });
}
