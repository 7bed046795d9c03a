/** Describes the file changes of a patch within a limit. What is left out is counted and marked in its place. */
import type { ChangeKind } from "../../contract/words.ts";
import { clip, jsonBytes } from "./clip.ts";
import type { FileChange } from "./ports/filechange.ts";

/** A change that removes something comes first: it must not be hidden behind `and 3 more`. */
const order: Record<ChangeKind, number> = { delete: 0, move: 1, update: 2, add: 3 };

/** `delete src/a.ts, move b.ts to c.ts and 3 more`; paths below `cwd` are shown relative to it. */
export function summaryOf(changes: readonly FileChange[], cwd: string | null, charsMax: number): string {
  const sorted = changes.toSorted((a, b) => order[a.kind] - order[b.kind]);
  let line = "";
  for (const [at, change] of sorted.entries()) {
    const words = `${line}${at === 0 ? "" : ", "}${describeChange(change, cwd)}`;
    const left = sorted.length - at - 1;
    const more = left > 0 ? ` and ${left} more` : "";
    if (words.length + more.length > charsMax)
      return at > 0 ? `${line} and ${left + 1} more` : `${clip(words, charsMax - more.length)}${more}`;
    line = words;
  }
  return line;
}

export function describeChange({ path, kind, to }: Omit<FileChange, "diff">, cwd: string | null): string {
  return `${kind} ${named(path, cwd)}${to === null ? "" : ` to ${named(to, cwd)}`}`;
}

/** In quotes where its own blanks or commas would make it read as another name, or as two names. */
function named(path: string, cwd: string | null): string {
  const near = cwd !== null && path.startsWith(`${cwd}/`) ? path.slice(cwd.length + 1) : path;
  return /[\s\p{C}",]/u.test(near) ? JSON.stringify(near) : near;
}

export function wholeDiff(changes: readonly FileChange[]): string {
  return changes.map(({ diff }) => diff).join("");
}

/** Paths are kept before diffs, and diffs are cut between two lines. `missing` is in bytes. */
export function bounded(
  changes: readonly FileChange[],
  bytesMax: number,
): { changes: FileChange[]; missing: number } {
  // JSON is never shorter than its text, so a diff that is far too large need not be serialised to be measured.
  const isSurelyOver = changes.reduce((sum, { diff }) => sum + diff.length, 0) > bytesMax;
  if (!isSurelyOver && jsonBytes(changes) <= bytesMax) return { changes: [...changes], missing: 0 };
  const kept: FileChange[] = [];
  let room = bytesMax;
  let missing = 0;
  for (const change of changes) {
    const bare = jsonBytes({ ...change, diff: "" }) + markBytesMax;
    if (bare > room) {
      missing += Buffer.byteLength(change.path) + Buffer.byteLength(change.diff);
      continue;
    }
    room -= bare;
    kept.push(change);
  }
  const cut = kept.map((change) => {
    const shown = linesWithin(change.diff, room);
    room -= jsonBytes(shown);
    const left = Buffer.byteLength(change.diff) - Buffer.byteLength(shown);
    missing += left;
    return left === 0 ? change : { ...change, diff: `${shown}… [${left} more bytes]\n` };
  });
  return { changes: cut, missing };
}

/** Room for the line of the mark and a comma. */
const markBytesMax = 64;

function linesWithin(text: string, bytesMax: number): string {
  if (text.length <= bytesMax && jsonBytes(text) <= bytesMax) return text;
  let bytes = 2;
  let end = 0;
  while (end < text.length) {
    const next = text.indexOf("\n", end) + 1 || text.length;
    bytes += jsonBytes(text.slice(end, next)) - 2;
    if (bytes > bytesMax) break;
    end = next;
  }
  return text.slice(0, end);
}
