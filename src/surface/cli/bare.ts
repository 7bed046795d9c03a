/**
 * A read without arguments, answered as JSON: nothing to parse, to check or to draw, so neither the op nor its schema
 * is loaded. What most scripts and agents type most often costs little more than starting a program.
 */
import type { Paths } from "../../base/paths.ts";
import type { IndexRow } from "../../ops/op.ts";
import { callerHere } from "../caller.ts";
import type { Parts } from "../parts.ts";
import { openSession } from "../session.ts";
import type { Globals } from "./globals.ts";
import type { Output } from "./output.ts";

export function isBare(row: IndexRow, args: readonly string[], globals: Globals, out: Output): boolean {
  return row.bare && args.length === 0 && out.isJson && globals.deadline === undefined;
}

export async function runBare(
  row: IndexRow,
  more: { globals: Globals; parts: Parts; out: Output; paths: Paths },
): Promise<number> {
  const { globals, parts, out, paths } = more;
  const session = openSession({
    paths,
    daemonArgv: parts.daemonArgv,
    isStartForbidden: globals.start === false,
    starting: (what) => void out.note(what),
  });
  try {
    await out.json(await session.call(row, {}, { caller: callerHere("cli"), repeat: "safe" }));
    return 0;
  } finally {
    session.close();
  }
}
