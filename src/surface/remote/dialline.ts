/**
 * The line that `dispatch dial-stdio` prints first, before the frames of the daemon: the version of dispatch there and
 * the schemas of its ops. What a log-in script has printed before it is no part of the connection.
 */
import { jsonObject } from "../../base/jsonobject.ts";

export interface Dialled {
  version: string;
  /** The hash of the schema of each op, by its name. */
  schemas: Readonly<Record<string, string>>;
}

const start = '{"dial":';

export function dialLine(dialled: Dialled): string {
  return `${JSON.stringify({ dial: dialled })}\n`;
}

/** Undefined when the line is another one. */
export function dialledIn(line: string): Dialled | undefined {
  if (!line.startsWith(start)) return undefined;
  const dial = safeObject(line)?.["dial"] as Partial<Dialled> | undefined;
  if (typeof dial?.version !== "string" || typeof dial.schemas !== "object" || dial.schemas === null)
    return undefined;
  return { version: dial.version, schemas: dial.schemas };
}

/** A line of another machine as a JSON object. Undefined when it is none, or one that is not well-formed. */
export function safeObject(line: string): Record<string, unknown> | undefined {
  try {
    return jsonObject(line);
  } catch {
    return undefined;
  }
}
