/** How a check of doctor is written down. */
import { DispatchError, wordsOf } from "../../base/error.ts";
import type { Paths } from "../../base/paths.ts";
import type { Check } from "../../ops/ctx.ts";

export interface Asked {
  paths: Paths;
  /** The environment of who asks. */
  env: Record<string, string | undefined>;
  /** Inside Codex's sandbox a connect is refused and looks like a dead daemon. */
  isSandboxed: boolean;
  appServer: boolean;
  /** Apply the recoveries that cannot lose anything. */
  fix: boolean;
  timeoutMs: number;
}

/** What a check found; its name is added by who runs it. */
export type Finding = Omit<Check, "name">;

interface More {
  detail?: string;
  recovery?: string;
  data?: Record<string, unknown>;
}

const finding =
  (status: Check["status"]) =>
  (summary: string, { detail, recovery, data }: More = {}): Finding => ({
    status,
    summary,
    detail: detail ?? null,
    recovery: recovery ?? null,
    data: data ?? null,
  });

export const ok = finding("ok");
export const warn = finding("warn");
export const bad = finding("fail");
export const skipped = finding("skipped");

/** An error as a finding: its hint is the recovery. */
export function badOf(thrown: unknown): Finding {
  const error = thrown instanceof DispatchError ? thrown : undefined;
  return bad(wordsOf(thrown), {
    ...(error?.hint ? { recovery: error.hint } : {}),
    ...(error?.data ? { data: error.data } : {}),
  });
}
