/**
 * Threads that may write dispatch's own files. `config.toml` decides what agents may do and which commands are
 * approved, so a thread that can write it can give itself every right. Such a thread is created only when a person
 * allows it.
 */
import { fail } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { SandboxDetails } from "../model/ports/thread.ts";

export interface Writes {
  sandbox?: string | null | undefined;
  cwd: string;
  sandbox_details?: SandboxDetails | null | undefined;
}

/**
 * The folders that its commands may write without a question, without the temporary ones. Full access names no folder.
 */
export function writableRoots({ sandbox, cwd, sandbox_details }: Writes): string[] {
  return sandbox === "workspace-write" ? [cwd, ...(sandbox_details?.writable_roots ?? [])] : [];
}

/**
 * The temporary folders that its commands may write too. No thread is refused for them: else no home in /tmp could
 * work.
 */
export function temporaryRoots({ sandbox, sandbox_details }: Writes): string[] {
  return sandbox === "workspace-write" && sandbox_details?.exclude_slash_tmp === false ? ["/tmp"] : [];
}

/** Throws `denied`. `isAllowed`: a person allowed it. */
export function refuseOwnFiles(
  { files }: Pick<CoreDeps, "files">,
  writes: Writes,
  isAllowed: boolean | undefined,
): void {
  if (isAllowed) return;
  const root = writableRoots(writes).find((folder) => files.holdsOwnFiles(folder));
  if (root === undefined) return;
  fail("denied", `the thread could write ${root}, which holds dispatch's own files, its policy among them`, {
    hint: "--cwd DIR of a folder beside them, --sandbox read-only, or --may-write-home",
    data: { root },
  });
}
