/** The registry, looked at without the daemon and without changing it. */
import type { Inspection } from "../../store/inspect.ts";
import { look } from "../place.ts";
import { type Asked, bad, badOf, type Finding, ok, skipped } from "./check.ts";

export async function checkRegistry({ paths }: Asked): Promise<Finding> {
  const found = look(paths.db);
  if (found === undefined) return skipped(`${paths.db} is not there yet`, { recovery: "dispatch up" });
  const [{ inspectRegistry }, { cureOf, withCure }] = await Promise.all([
    import("../../store/inspect.ts"),
    import("../registry.ts"),
  ]);
  const recovery = cureOf(paths.db);
  if (found.size === 0) return bad(`${paths.db} is empty`, { recovery });
  let seen: Inspection;
  try {
    seen = inspectRegistry(paths.db);
  } catch (thrown) {
    return badOf(withCure(thrown, paths.db));
  }
  const data = { path: paths.db, bytes: found.size, ...seen };
  if (seen.faults.length > 0)
    return bad(`${paths.db} is damaged: ${seen.faults.join("; ")}`, { recovery, data });
  if (seen.schema > seen.supported)
    return bad(`${paths.db} has schema ${seen.schema}; this dispatch knows ${seen.supported}`, {
      recovery: "install the dispatch that wrote it, or a newer one",
      data,
    });
  if (seen.schema < seen.supported)
    return ok(`schema ${seen.schema}; the next daemon migrates it to ${seen.supported}`, { data });
  const counts = Object.entries(seen.counts).map(([what, count]) => `${count} ${what}`);
  return ok(`schema ${seen.schema}, sound; ${counts.join(", ")}`, { data });
}
