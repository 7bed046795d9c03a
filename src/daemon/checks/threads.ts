/** Checks the threads: which may write dispatch's own files, including its policy, and whose folder is missing. */
import { folderFault, look, ownerFault } from "../../base/directory.ts";
import { cell } from "../../base/text.ts";
import { temporaryRoots, writableRoots } from "../../core/loading/ownfiles.ts";
import type { KnownSettings } from "../../store/inspect.ts";
import { holdsOwnFiles } from "../containment.ts";
import { type CheckContext, type Finding, ok, skipped, warn } from "./check.ts";
import { openFault } from "./files.ts";

export async function checkThreads(ctx: CheckContext): Promise<Finding> {
  const known = await settingsOf(ctx);
  if (!Array.isArray(known)) return known;
  const { paths } = ctx;
  const writers = known.flatMap(({ ref, title, effective, settings }) => {
    const roots = [...writableRoots(effective), ...temporaryRoots(effective)];
    const root = roots.find((folder) => holdsOwnFiles(paths, folder));
    return root === undefined ? [] : [{ ref, title, root, let: settings.may_write_home === true }];
  });
  if (writers.length === 0) return ok(`none of ${known.length} threads may write dispatch's own files`);
  const named = writers.map(({ ref, title, root }) => `${ref} "${cell(title, 40)}" in ${root}`).join("; ");
  const ref = writers[0]!.ref;
  const isTemporary = writers.every(({ root }) => root === "/tmp");
  return warn(
    `${writers.length} of ${known.length} threads may write dispatch's own files, including its policy: ${named}`,
    {
      recovery: isTemporary
        ? "set DISPATCH_HOME to a folder that is not temporary"
        : `dispatch fork ${ref} --name NAME --sandbox read-only, then dispatch archive ${ref}`,
      data: { threads: writers },
    },
  );
}

export async function checkFolders(ctx: CheckContext): Promise<Finding> {
  const known = await settingsOf(ctx);
  if (!Array.isArray(known)) return known;
  const gone = known.filter(({ cwd }) => folderFault(cwd) !== null);
  if (gone.length === 0) return ok(`each of ${known.length} threads has its folder`);
  const named = gone.map(({ ref, title, cwd }) => `${ref} "${cell(title, 40)}" in ${cell(cwd)}`).join("; ");
  return warn(
    `the folder of ${gone.length} of ${known.length} threads is missing or may not be entered, so they cannot work: ${named}`,
    {
      recovery: `dispatch fork ${gone[0]!.ref} --name NAME --cwd DIR, or make the folder usable again`,
      data: { threads: gone.map(({ ref, title, cwd }) => ({ ref, title, cwd })) },
    },
  );
}

async function settingsOf({ paths }: CheckContext): Promise<KnownSettings[] | Finding> {
  // The registry check reports a wrong mode. Opening the file would create more files with that mode.
  if (!look(paths.db)?.size || ownerFault(paths.home) || openFault(paths.db, "file"))
    return skipped("there is no registry to read", { recovery: "dispatch up" });
  return (
    (await settingsIn(paths.db)) ??
    skipped("the registry cannot be read", { recovery: "dispatch registry check" })
  );
}

async function settingsIn(db: string): Promise<KnownSettings[] | undefined> {
  const { inspectSettings } = await import("../../store/inspect.ts");
  try {
    return inspectSettings(db);
  } catch {
    // The registry check reports why.
    return undefined;
  }
}
