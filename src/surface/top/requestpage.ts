/** A request on a page of its own: all of it, in lines that fit, and the keys that answer it. Pure. */
import { limits } from "../../base/limits.ts";
import { fold, paint } from "../../base/text.ts";
import type { RequestView } from "../../contract/request.ts";
import { offeredOptions, requestPairs } from "../../ops/requestpairs.ts";

/** By request and width: a patch of many lines is laid out once. */
const laidOut = new WeakMap<RequestView, { width: number; minute: number; lines: readonly string[] }>();

/**
 * A line that is too long goes on below, after a `\` in the first column, where no text of a request can be: so what
 * was folded is never taken for two lines.
 */
export function requestLines(request: RequestView, width: number, now: number): readonly string[] {
  const minute = Math.floor(now / 60_000);
  const known = laidOut.get(request);
  if (known?.width === width && known.minute === minute) return known.lines;
  const look = { width: width - 2, now, color: true };
  const lines = requestPairs(request, look, { hasCommand: false })
    .split("\n")
    .flatMap((line) =>
      fold(line, width - 2).map((part, at) => (at === 0 ? `  ${part}` : `${paint("dim", "\\")} ${part}`)),
    );
  const most = limits.top.linesMax;
  const shown =
    lines.length <= most
      ? lines
      : [
          ...lines.slice(0, most),
          paint("red", `  ${lines.length - most} more lines: dispatch request get ${request.id}`),
        ];
  laidOut.set(request, { width, minute, lines: shown });
  return shown;
}

/** All of it can be seen here, so it may be approved here. */
export function isShownWhole(request: RequestView, width: number, now: number): boolean {
  return requestLines(request, width, now).length <= limits.top.linesMax;
}

export interface Choice {
  key: string;
  label: string;
  /** The input of `request answer`; null: a text is typed first. */
  input: Record<string, unknown> | null;
  option: string;
}

const keyOf: Readonly<Record<string, [key: string, label: string]>> = {
  approve: ["y", "approve"],
  approve_for_session: ["s", "approve for the session"],
  deny: ["n", "deny"],
  cancel: ["c", "cancel the turn"],
  reply: ["r", "reply"],
  answer: ["e", "answer as JSON"],
};

/** The keys of its options, in the order they are offered. The labels of an only question have numbers. */
export function choicesOf(request: RequestView): Choice[] {
  const [question, ...others] = request.questions ?? [];
  const isOnly = question !== undefined && others.length === 0;
  const labels = isOnly && request.options.includes("reply") ? (question.options ?? []).slice(0, 9) : [];
  return [
    ...labels.map(({ label }, at) => ({
      key: String(at + 1),
      label,
      input: { reply: label },
      option: "reply",
    })),
    ...offeredOptions(request).flatMap((option) => {
      const [key, label] = keyOf[option] ?? [];
      if (key === undefined || label === undefined) return [];
      const isTyped = option === "reply" || option === "answer";
      const name = option === "cancel" && request.kind === "elicitation" ? "cancel the form" : label;
      return [{ key, label: name, input: isTyped ? null : { [option]: true }, option }];
    }),
  ];
}

export const isApproval = ({ option }: Choice) => option.startsWith("approve");

/** What the editor of a JSON answer begins with: a field for each question. */
export function answerTemplate({ questions, form }: RequestView): string {
  const properties = form?.schema?.["properties"];
  const names =
    questions?.map(({ id }) => id) ?? Object.keys(typeof properties === "object" ? { ...properties } : {});
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, ""])));
}

export const isSecret = ({ questions }: RequestView) =>
  questions?.some(({ is_secret }) => is_secret) === true;
