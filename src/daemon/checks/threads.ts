/** The threads: which of them may write dispatch's own files, its policy among them, and which have no folder. */
import { isDirectory, look, ownerFault } from "../../base/directory.ts";
import { cell } from "../../base/text.ts";
import { temporaryRoots, writableRoots } from "../../core/loading/ownfiles.ts";
import type { KnownSettings } from "../../store/inspect.ts";
import { holdsOwnFiles } from "../inside.ts";
import { type Asked, type Finding, ok, skipped, warn } from "./check.ts";
import { private_ } from "./files.ts";

export async function checkThreads(asked: Asked): Promise<Finding> {
  const known = await settingsOf(asked);
  if (!Array.isArray(known)) return known;
  const { paths } = asked;
  const writers = known.flatMap(({ ref, title, effective, settings }) => {
    const roots = [...writableRoots(effective), ...temporaryRoots(effective)];
    const root = roots.find((one) => holdsOwnFiles(paths, one));
    return root === undefined ? [] : [{ ref, title, root, let: settings.may_write_home === true }];
  });
  if (writers.length === 0) return ok(`none of ${known.length} may write dispatch's own files`);
  const named = writers.map(({ ref, title, root }) => `${ref} "${cell(title, 40)}" in ${root}`).join("; ");
  const ref = writers[0]!.ref;
  const isTemporary = writers.every(({ root }) => root === "/tmp");
  return warn(
    `${writers.length} of ${known.length} may write dispatch's own files, its policy among them: ${named}`,
    {
      recovery: isTemporary
        ? "set DISPATCH_HOME to a folder that is not temporary"
        : `dispatch fork ${ref} --name NAME --sandbox read-only, then dispatch archive ${ref}`,
      data: { threads: writers },
    },
  );
}

export async function checkFolders(asked: Asked): Promise<Finding> {
  const known = await settingsOf(asked);
  if (!Array.isArray(known)) return known;
  const gone = known.filter(({ cwd }) => !isDirectory(cwd));
  if (gone.length === 0) return ok(`each of ${known.length} threads has its folder`);
  const named = gone.map(({ ref, title, cwd }) => `${ref} "${cell(title, 40)}" in ${cell(cwd)}`).join("; ");
  return warn(`the folder of ${gone.length} of ${known.length} is gone, so they can do nothing: ${named}`, {
    recovery: `dispatch fork ${gone[0]!.ref} --name NAME --cwd DIR, or make the folder again`,
    data: { threads: gone.map(({ ref, title, cwd }) => ({ ref, title, cwd })) },
  });
}

async function settingsOf({ paths }: Asked): Promise<KnownSettings[] | Finding> {
  // What is wrong with the file the check before says; to open it makes files beside it, with its mode.
  if (!look(paths.db)?.size || ownerFault(paths.home) || private_(paths.db, "file"))
    return skipped("there is no registry to look into", { recovery: "dispatch up" });
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
    // The registry's own check says why.
    return undefined;
  }
}
