/** The finding of a doctor check: its status, the recovery, and the automatic fix if there is one. */
import { DispatchError, errorMessage } from "../../base/error.ts";
import type { Paths } from "../../base/paths.ts";
import type { Check } from "../../ops/ctx.ts";

export interface CheckContext {
  paths: Paths;
  /** The environment that a daemon started by this caller would have. */
  env: Record<string, string | undefined>;
  /** The environment of this caller, in which the hosts of plugins are asked. */
  hostEnv: Record<string, string | undefined>;
  /** Inside Codex's sandbox a connect is refused, which looks like a dead daemon (facts F53). */
  isSandboxed: boolean;
  appServer: boolean;
  timeoutMs: number;
}

/**
 * Makes one repair that cannot lose data: a mode, a missing directory, remains of a process that ended. It never removes
 * a file that somebody may want and never touches Codex's files. Returns what it did. Throws when it failed.
 */
export type Fix = () => string;

/** A check only looks. `runChecks` adds its name and what was fixed. */
export type Finding = Omit<Check, "name" | "fixed" | "fixable"> & { fix?: Fix };

interface More {
  detail?: string | undefined;
  recovery?: string | undefined;
  data?: Record<string, unknown> | undefined;
  fix?: Fix | undefined;
}

const finding =
  (status: Check["status"]) =>
  (summary: string, { detail, recovery, data, fix }: More = {}): Finding => ({
    status,
    summary,
    detail: detail ?? null,
    recovery: recovery ?? null,
    data: data ?? null,
    ...(fix ? { fix } : {}),
  });

export const ok = finding("ok");
export const warn = finding("warn");
export const bad = finding("fail");
export const skipped = finding("skipped");

/** An error as a finding: its hint is the recovery. */
export function badOf(thrown: unknown, fix?: Fix): Finding {
  const error = thrown instanceof DispatchError ? thrown : undefined;
  return bad(errorMessage(thrown), {
    recovery: error?.hint ?? undefined,
    data: error?.data ?? undefined,
    fix,
  });
}
