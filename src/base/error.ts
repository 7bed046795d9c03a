import { limits } from "./limits.ts";

/**
 * The one error class and the one table of codes. Every failure a user can see is a row here: the code is the
 * contract of `--json`, the exit status is the contract of scripts, `retry` says whether trying again can help.
 */
export const codes = {
  internal: { exit: 1, retry: "no" },
  usage: { exit: 2, retry: "no" },
  not_found: { exit: 4, retry: "no" },
  thread_busy: { exit: 5, retry: "later" },
  needs_answer: { exit: 6, retry: "no" },
  authority: { exit: 7, retry: "no" },
  turn_failed: { exit: 8, retry: "no" },
  daemon_down: { exit: 10, retry: "later" },
  agent_down: { exit: 11, retry: "later" },
  conflict: { exit: 12, retry: "no" },
  unsure: { exit: 13, retry: "no" },
  timeout: { exit: 14, retry: "later" },
  too_large: { exit: 15, retry: "no" },
  host_down: { exit: 20, retry: "later" },
  overloaded: { exit: 21, retry: "later" },
  storage: { exit: 16, retry: "later" },
  denied: { exit: 17, retry: "no" },
  stale: { exit: 18, retry: "later" },
  agent: { exit: 19, retry: "later" },
} as const;

export type Code = keyof typeof codes;

/** Whether trying again can help. */
type Retry = "no" | "later";

/** What travels in `{"error": ...}`: on stderr, in a control frame, in an MCP result's `_meta`. */
export interface ErrorBody {
  code: Code;
  message: string;
  hint: string | null;
  retry: Retry;
  data: Record<string, unknown> | null;
}

/** The first line of an error for an agent: what it is, whether a retry helps, what happened. */
export function errorLine({
  code,
  retry,
  message,
}: {
  code: string;
  retry: string;
  message: string;
}): string {
  return `${code} (retry ${retry}): ${message}`;
}

/**
 * The error for a write that was sent and not answered. The reason alone (`timeout`, `daemon_down`) would mean that it was
 * not done. With its key the command can be repeated safely.
 */
export function unsureOf(reason: { message: string }, input: Record<string, unknown>): DispatchError {
  const { idempotency_key: key, thread } = input;
  const look = typeof thread === "string" ? `dispatch get ${thread}` : "dispatch list";
  const isKeyed = typeof key === "string";
  return new DispatchError("unsure", `${reason.message}: it is not known whether this was done`, {
    hint: isKeyed ? `repeat the command with --idempotency-key ${key}: it is never done twice` : look,
    ...(isKeyed ? { data: { idempotency_key: key } } : {}),
    cause: reason,
  });
}

export class DispatchError extends Error {
  readonly code: Code;
  /** The next command to type, or null when there is none. */
  readonly hint: string | null;
  readonly data: Record<string, unknown> | null;
  readonly retry: Retry;

  constructor(
    code: Code,
    message: string,
    more: { hint?: string; data?: Record<string, unknown>; cause?: unknown; retry?: Retry } = {},
  ) {
    super(shortText(message), more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "DispatchError";
    this.code = code;
    this.hint = more.hint === undefined ? null : shortText(more.hint);
    this.data = more.data ?? null;
    this.retry = more.retry ?? codes[code].retry;
  }

  get exit(): number {
    return codes[this.code].exit;
  }

  get body(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      hint: this.hint,
      retry: this.retry,
      data: this.data && shortData(this.data),
    };
  }

  /** The same error on this side of a socket. An unknown code (of a newer daemon) becomes `internal` with the same message. */
  static fromBody(body: ErrorBody): DispatchError {
    const code: Code = Object.hasOwn(codes, body.code) ? body.code : "internal";
    return new DispatchError(code, body.message, {
      ...(body.hint === null ? {} : { hint: body.hint }),
      ...(body.data === null ? {} : { data: body.data }),
    });
  }
}

/** Marks a failed read as not done: its outcome is unknown, but a read changes nothing. */
export function withNothingDone(thrown: unknown): unknown {
  if (!(thrown instanceof DispatchError) || thrown.data?.["outcome"] !== "unknown") return thrown;
  const { code, message, hint, data } = thrown;
  return new DispatchError(code, message, {
    ...(hint === null ? {} : { hint }),
    data: { ...data, outcome: "not_sent" },
    cause: thrown,
  });
}

/** A message may quote any input, so it is cut, and it is always well-formed text. */
function shortText(text: string): string {
  const over = text.length - limits.error.charsMax;
  const cut = over <= 0 ? text : `${text.slice(0, limits.error.charsMax)}… [${over} more characters]`;
  return cut.toWellFormed();
}

/** The data, cut to fit any answer: the beginning of each list and text. Never throws. */
function shortData(data: Record<string, unknown>): Record<string, unknown> {
  try {
    if (JSON.stringify(data).length <= limits.error.dataCharsMax) return data;
    const json = JSON.stringify(data, (_key, value: unknown) => {
      if (typeof value === "string") return shortText(value);
      return Array.isArray(value) ? value.slice(0, limits.error.dataItemsMax) : value;
    });
    if (json.length <= limits.error.dataCharsMax) return JSON.parse(json) as Record<string, unknown>;
    return { omitted_characters: json.length };
  } catch (thrown) {
    return { omitted: errorMessage(thrown) };
  }
}

/** `fail("usage", "...")` reads better than `throw new` in the middle of an expression. */
export function fail(
  code: Code,
  message: string,
  more: { hint?: string; data?: Record<string, unknown>; cause?: unknown } = {},
): never {
  throw new DispatchError(code, message, more);
}

/** The message of anything that was thrown. */
/** The disk refused, or could not be read. */
export function isStorage(thrown: unknown): boolean {
  return thrown instanceof DispatchError && thrown.code === "storage";
}

export function errorMessage(thrown: unknown): string {
  return shortText(thrown instanceof Error ? thrown.message : String(thrown));
}
