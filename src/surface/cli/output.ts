/** Writes results, rows, notes and errors: as text on a terminal, otherwise as JSON. */
import { systemClock } from "../../base/clock.ts";
import { readEnv } from "../../base/env.ts";
import type { DispatchError } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import {
  isTerminal,
  stderrFd,
  stdoutFd,
  terminalRows,
  terminalWidth,
  writeErr,
  writeOut,
} from "../../base/stdio.ts";
import { cell, type Look, paint, toJson, toJsonLine, toTerminal } from "../../base/text.ts";
import type { AnyOp, DaemonOp, FooterLines } from "../../ops/op.ts";
import type { Row } from "../wire.ts";
import { footed } from "./footer.ts";
import type { Globals } from "./globals.ts";

export interface Stream {
  /** Resolves with false when the reader has gone. */
  row(row: Row): Promise<boolean>;
  end(): Promise<void>;
}

export interface Output {
  isJson: boolean;
  /** This and the next two resolve with false when the reader has gone. */
  json(out: Row): Promise<boolean>;
  result(op: AnyOp, out: Row): Promise<boolean>;
  /** Plain text in every case: help, the version. */
  text(s: string): Promise<boolean>;
  /** The rows of a stream; `footer` only where `isLive`. */
  stream(op: DaemonOp, footer?: FooterLines): Stream;
  /** Lines on it may be drawn again: a terminal that moves its cursor, and is high enough. */
  isLive(): boolean;
  /** A progress note, on a terminal only. */
  note(s: string): Promise<void>;
  /** A warning on standard error: a line for a person, or a JSON line that is no error. */
  warn(s: string): Promise<void>;
  error(error: DispatchError): Promise<void>;
}

export function openOutput(globals: Globals, index: readonly { cli: string }[]): Output {
  const isOutTerminal = isTerminal(stdoutFd);
  const isErrTerminal = isTerminal(stderrFd);
  const asJson = globals.json ?? !isOutTerminal;
  const errorAsJson = globals.json ?? !isErrTerminal;
  const shape = { width: isOutTerminal ? terminalWidth() : 80, color: hasColor(globals, isOutTerminal) };
  // A command may have waited for minutes: relative times count from the moment each row is shown.
  const look = (): Look => ({ ...shape, now: systemClock.now() });
  const errColor = { color: hasColor(globals, isErrTerminal) };

  const json = (out: Row) => writeOut(`${toJson(out)}\n`);
  const human = (view: string) =>
    view === "" ? Promise.resolve(true) : writeOut(`${toTerminal(view.trimEnd(), shape)}\n`);

  const plain = async (op: AnyOp, out: Row) =>
    asJson && !(op.plain && globals.json !== true) ? json(out) : human(op.view(out, look()));

  return {
    isJson: asJson,
    json,
    async result(op, out) {
      const { home, host } = globals;
      if (home === undefined && host === undefined) return plain(op, out);
      const { nounsOf, placedResult, placedView } = await import("../place.ts");
      const nouns = nounsOf(index);
      const view: AnyOp["view"] = (out, look) => placedView(op.view(out, look), { home, host }, nouns);
      return plain({ ...op, view }, placedResult(out, { home, host }, nouns));
    },
    isLive: () =>
      !asJson &&
      isOutTerminal &&
      readEnv().TERM !== "dumb" &&
      terminalRows() > limits.client.footerLinesMax + 4,
    stream({ viewRow }, footer) {
      const row: Stream["row"] =
        asJson || !viewRow ? (row) => writeOut(`${toJsonLine(row)}\n`) : (row) => human(viewRow(row, look()));
      return footer && viewRow ? footed(footer, viewRow, look) : { row, end: async () => {} };
    },
    text: (s) => writeOut(`${toTerminal(s, shape)}\n`),
    async note(s) {
      if (isErrTerminal && !errorAsJson && !globals.quiet)
        await writeErr(`${toTerminal(paint("dim", cell(s)), errColor)}\n`);
    },
    async warn(s) {
      if (globals.quiet) return;
      if (errorAsJson) await writeErr(`${toJsonLine({ warning: { message: s } })}\n`);
      else await writeErr(`${toTerminal(`${paint("yellow", "warning:")} ${cell(s)}`, errColor)}\n`);
    },
    async error(error) {
      if (errorAsJson) {
        await writeErr(`${toJsonLine({ error: error.body })}\n`);
        return;
      }
      const lines = [`${paint("red", "error:")} ${cell(error.message)}`];
      if (error.hint !== null) lines.push(`${paint("dim", "hint:")}  ${cell(error.hint)}`);
      await writeErr(`${toTerminal(lines.join("\n"), errColor)}\n`);
    },
  };
}

function hasColor(globals: Globals, isOnTerminal: boolean): boolean {
  const { NO_COLOR, TERM } = readEnv();
  return globals.color ?? (isOnTerminal && !NO_COLOR && TERM !== "dumb");
}
