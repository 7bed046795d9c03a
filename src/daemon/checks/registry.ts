/** Checks the registry without the daemon and without changing it. */
import { readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { fileFault, look, ownerFault } from "../../base/directory.ts";
import { limits } from "../../base/limits.ts";
import type { Inspection } from "../../store/inspect.ts";
import { bad, badOf, type CheckContext, type Finding, ok, skipped, warn } from "./check.ts";
import { missingDirectory, openFault } from "./files.ts";

export async function checkRegistry({ paths }: CheckContext, clock: Clock): Promise<Finding> {
  const { db, home, lock } = paths;
  if (ownerFault(home))
    return skipped("the home belongs to another user: opening its registry would create files there");
  // The daemon creates its home, but not the directory of DISPATCH_DB.
  const homeless = dirname(db) === home ? undefined : missingDirectory(dirname(db), "the registry");
  if (homeless) return homeless;
  const { restoreCommand, withRestoreHint } = await import("../registry.ts");
  const recovery = restoreCommand(db);
  const found = look(db);
  if (found === undefined) {
    if (look(`${db}-wal`))
      return bad(`${db} is missing, but its write-ahead log is still there`, { recovery });
    return skipped(`${db} does not exist yet`, { recovery: "dispatch up" });
  }
  for (const path of [db, `${db}-wal`, `${db}-shm`, lock]) {
    const closed = fileFault(path);
    if (closed) return badOf(closed);
    const open = openFault(path, "file");
    if (open) return open;
  }
  if (found.size === 0) return bad(`${db} is empty`, { recovery });
  const { inspectRegistry } = await import("../../store/inspect.ts");
  let seen: Inspection;
  try {
    seen = inspectRegistry(db);
  } catch (thrown) {
    return badOf(withRestoreHint(thrown, db));
  }
  return judge(db, seen, recovery) ?? leftovers(db, clock) ?? sound(db, found.size, seen);
}

function judge(path: string, seen: Inspection, recovery: string): Finding | undefined {
  const data = { path, ...seen };
  if (seen.faults.length > 0) return bad(`${path} is damaged: ${seen.faults.join("; ")}`, { recovery, data });
  if (seen.schema > seen.supported)
    return bad(`${path} has schema ${seen.schema}; this dispatch uses ${seen.supported}`, {
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

/** Unfinished copies of an interrupted backup. Nothing ever reads them, and they use disk space. */
function leftovers(db: string, clock: Clock): Finding | undefined {
  const isOld = (path: string) => clock.now() - statSync(path).mtimeMs > limits.daemon.leftoverAgeMs;
  const found = readdirSync(dirname(db))
    .filter((name) => name.startsWith(`${basename(db)}.`) && /\.[0-9a-f]{8}\.partial(-\w+)?$/.test(name))
    .map((name) => join(dirname(db), name))
    .filter(isOld);
  if (found.length === 0) return undefined;
  return warn(`unfinished copies of the registry, left by an interrupted process: ${found.length}`, {
    detail: found.join(", "),
    recovery: "dispatch doctor --fix",
    fix() {
      for (const path of found) rmSync(path);
      return `removed ${found.join(", ")}`;
    },
  });
}
