/** The log as a file of JSON lines, rotated by size. It never throws into its caller: on a full disk lines are lost and counted. */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import type { Clock } from "./clock.ts";
import { errorMessage } from "./error.ts";
import { limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { openOwnOrFail } from "./ownfile.ts";
import { redactValue } from "./redact.ts";
import { toJsonLine } from "./text.ts";

export interface LogFile extends Log {
  /** The last lines, oldest first, from the rotated file too when this one is young. */
  tail(lines: number): string[];
  close(): void;
}

export interface LogFileOptions {
  path: string;
  clock: Clock;
  bytesMax?: number;
  filesKept?: number;
}

type Level = "debug" | "info" | "warn" | "error";

/** Throws `storage` when the file cannot be opened at all: a daemon without a log should not start. */
export function openLogFile({
  path,
  clock,
  bytesMax = limits.log.bytesMax,
  filesKept = limits.log.filesKept,
}: LogFileOptions): LogFile {
  let fd = open(path);
  let size = fstatSync(fd).size;
  let dropped = 0;
  /** A line was cut in the middle by a full disk: the next one starts on a line of its own. */
  let torn = false;

  const append = (line: string) => {
    const bytes = Buffer.from(`${torn ? "\n" : ""}${line}\n`);
    if (size > 0 && size + bytes.length > bytesMax) rotate();
    let at = 0;
    while (at < bytes.length) {
      const wrote = writeSync(fd, bytes, at);
      at += wrote;
      size += wrote;
      torn = at < bytes.length;
    }
  };

  const rotate = () => {
    try {
      shift(path, filesKept);
      const fresh = open(path);
      closeSync(fd);
      fd = fresh;
      size = fstatSync(fd).size;
    } catch (cause) {
      // The old descriptor still writes; the next try comes after as much again.
      size = 0;
      append(lineOf(clock.now(), "warn", "the log could not be rotated", { why: errorMessage(cause) }));
    }
  };

  const write = (level: Level, message: string, fields: Record<string, unknown> = {}) => {
    try {
      if (dropped > 0) {
        append(
          lineOf(clock.now(), "warn", "log lines were dropped: they could not be written", {
            lines: dropped,
          }),
        );
        dropped = 0;
      }
      append(lineOf(clock.now(), level, message, fields));
    } catch {
      dropped++;
    }
  };

  return {
    debug: (message, fields) => write("debug", message, fields),
    info: (message, fields) => write("info", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    error: (message, fields) => write("error", message, fields),
    tail(lines) {
      const here = lastLines(path, lines);
      return here.length < lines ? [...lastLines(`${path}.1`, lines - here.length), ...here] : here;
    },
    close() {
      closeSync(fd);
      // Whoever logs after this loses the line; the number may be another file's by then.
      fd = -1;
    },
  };
}

/** `log` becomes `log.1`, that one `log.2`; the oldest goes. */
function shift(path: string, filesKept: number): void {
  if (filesKept <= 1) rmSync(path, { force: true });
  for (let n = filesKept - 1; n > 0; n--) {
    const younger = n === 1 ? path : `${path}.${n - 1}`;
    if (existsSync(younger)) renameSync(younger, `${path}.${n}`);
  }
}

/** One line: redacted, bounded, and with every character a terminal would obey escaped. */
function lineOf(now: number, level: Level, message: string, fields: Record<string, unknown>): string {
  const { at: _at, level: _level, message: _message, ...rest } = fields;
  return toJsonLine(
    redactValue({ at: new Date(now).toISOString(), level, message, ...rest }, limits.log.textCharsMax),
  );
}

function open(path: string): number {
  return openOwnOrFail(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, "the log");
}

/** From the file's end, at most `limits.log.tailBytes` of it. */
export function lastLines(path: string, lines: number): string[] {
  if (lines <= 0 || !existsSync(path)) return [];
  const fd = openOwnOrFail(path, constants.O_RDONLY, "the log");
  try {
    const size = fstatSync(fd).size;
    const bytes = Buffer.alloc(Math.min(size, limits.log.tailBytes));
    const got = readSync(fd, bytes, 0, bytes.length, size - bytes.length);
    const whole = bytes.toString("utf8", 0, got).split("\n");
    // The first line is cut unless the file starts there.
    if (bytes.length < size) whole.shift();
    return whole.filter((line) => line !== "").slice(-lines);
  } finally {
    closeSync(fd);
  }
}
