/** The log of `dispatchd --foreground`: consola on stderr. Loaded only there: it is 20 ms of start (measured). */
import { limits } from "./limits.ts";
import type { Log } from "./log.ts";
import { redactValue } from "./redact.ts";
import { toJsonLine, toTerminal } from "./text.ts";

type Level = "debug" | "info" | "warn" | "error";

export async function openTerminalLog(): Promise<Log> {
  const { createConsola } = await import("consola");
  const consola = createConsola({ level: 4, stdout: process.stderr, stderr: process.stderr });
  const say = (level: Level) => (message: string, fields?: Record<string, unknown>) => {
    consola[level](toTerminal(lineOf(message, fields), { color: false }));
  };
  return { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") };
}

/** Both logs get every line. */
export function teeLog(a: Log, b: Log): Log {
  const both = (level: Level) => (message: string, fields?: Record<string, unknown>) => {
    a[level](message, fields);
    b[level](message, fields);
  };
  return { debug: both("debug"), info: both("info"), warn: both("warn"), error: both("error") };
}

function lineOf(message: string, fields: Record<string, unknown> = {}): string {
  const safe = redactValue({ message, fields }, limits.log.textCharsMax) as {
    message: string;
    fields: object;
  };
  const rest = Object.keys(safe.fields).length === 0 ? "" : ` ${toJsonLine(safe.fields)}`;
  return safe.message + rest;
}
