/**
 * Threads that may write dispatch's own files. `config.toml` says what agents may do and which commands are approved: a
 * thread that can write it can give itself every right. So such a thread is made only when a person says so.
 */
import { fail } from "../../base/error.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { SandboxDetails } from "../model/ports/thread.ts";

export interface Writes {
  sandbox?: string | null | undefined;
  cwd: string;
  sandbox_details?: SandboxDetails | null | undefined;
}

/** The folders that its commands may write without asking; of full access none is named. Temporary ones are left out. */
export function writableRoots({ sandbox, cwd, sandbox_details }: Writes): string[] {
  return sandbox === "workspace-write" ? [cwd, ...(sandbox_details?.writable_roots ?? [])] : [];
}

/** The temporary folders that its commands may write too. Refused for none of them: then no home in /tmp could work. */
export function temporaryRoots({ sandbox, sandbox_details }: Writes): string[] {
  return sandbox === "workspace-write" && sandbox_details?.exclude_slash_tmp === false ? ["/tmp"] : [];
}

/** Throws `denied`. `isLet`: a person said that it may. */
export function refuseOwnFiles(
  { files }: Pick<CoreDeps, "files">,
  writes: Writes,
  isLet: boolean | undefined,
): void {
  if (isLet) return;
  const root = writableRoots(writes).find((one) => files.holdsOwnFiles(one));
  if (root === undefined) return;
  fail("denied", `the thread could write ${root}, which holds dispatch's own files, its policy among them`, {
    hint: "--cwd DIR of a folder beside them, --sandbox read-only, or --may-write-home",
    data: { root },
  });
}
