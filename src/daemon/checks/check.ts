/** How a check of doctor is written down: what it found, and what would put it right. */
import { DispatchError, errorMessage } from "../../base/error.ts";
import type { Paths } from "../../base/paths.ts";
import type { Check } from "../../ops/ctx.ts";

export interface Asked {
  paths: Paths;
  /** The environment of who asks. */
  env: Record<string, string | undefined>;
  /** Inside Codex's sandbox a connect is refused and looks like a dead daemon. */
  isSandboxed: boolean;
  appServer: boolean;
  timeoutMs: number;
}

/**
 * Puts right one thing that cannot lose anything: a mode, a directory that is not there, what a process that ended
 * left behind. Never a file that somebody may want, and never what belongs to Codex. Answers what it did; throws when
 * it could not.
 */
export type Mend = () => string;

/** A check only looks; its name is added by who runs it, and so is what was mended. */
export type Finding = Omit<Check, "name" | "fixed" | "fixable"> & { mend?: Mend };

interface More {
  detail?: string | undefined;
  recovery?: string | undefined;
  data?: Record<string, unknown> | undefined;
  mend?: Mend | undefined;
}

const finding =
  (status: Check["status"]) =>
  (summary: string, { detail, recovery, data, mend }: More = {}): Finding => ({
    status,
    summary,
    detail: detail ?? null,
    recovery: recovery ?? null,
    data: data ?? null,
    ...(mend ? { mend } : {}),
  });

export const ok = finding("ok");
export const warn = finding("warn");
export const bad = finding("fail");
export const skipped = finding("skipped");

/** An error as a finding: its hint is the recovery. */
export function badOf(thrown: unknown, mend?: Mend): Finding {
  const error = thrown instanceof DispatchError ? thrown : undefined;
  return bad(errorMessage(thrown), {
    recovery: error?.hint ?? undefined,
    data: error?.data ?? undefined,
    mend,
  });
}
