/** The MCP tools by their names: one per group and intent, or one per op. */
import type { IndexRow } from "../../ops/op.ts";

export interface Tool {
  name: string;
  /** The ops by the value of the argument `op`. A flat tool has one op and no such argument. */
  rows: ReadonlyMap<string, IndexRow>;
  isFlat: boolean;
}

/** Starting, stopping and migrating the daemon is for the owner of the machine, not for an agent. */
export function isOffered(row: IndexRow): boolean {
  return !row.hidden && !row.plain && !row.isForPersons && (row.at !== "client" || row.intent === "read");
}

/** The op's name in MCP: the words of the command line with `_`. */
export function wordOf(row: IndexRow): string {
  return row.cli.replace(/[ -]+/g, "_");
}

/** What another command undoes is a write here: a host asks about each destructive call, or refuses it. */
export const intentOf = (row: IndexRow) => (row.undoable ? "write" : row.intent);

export function toolNameOf(row: IndexRow, isFlat: boolean): string {
  return isFlat ? `dispatch_${wordOf(row)}` : `dispatch_${row.group}_${intentOf(row)}`;
}

export function toolsOf(index: readonly IndexRow[], isFlat: boolean): Map<string, Tool> {
  const tools = new Map<string, Tool>();
  for (const row of index.filter(isOffered)) {
    const name = toolNameOf(row, isFlat);
    tools.set(name, { name, isFlat, rows: new Map([...(tools.get(name)?.rows ?? []), [wordOf(row), row]]) });
  }
  return tools;
}
