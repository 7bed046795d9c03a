/** The files of a patch as unified diffs, from Codex's items and from the approval of the first protocol. */
import type { ChangeKind } from "../contract/words.ts";
import type { FileChange } from "../core/model/ports/filechange.ts";
import { type Json, object, text } from "./read.ts";

/** The changes of an item. Null when any of them has an unknown shape: a part of a patch must not pass for all of it. */
export function changesOf(value: unknown): FileChange[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  return whole(value.map((change) => itemChange(object(change))));
}

/** The changes of `applyPatchApproval`, which are an object by path. */
export function patchOf(value: unknown): FileChange[] | null {
  const byPath = Object.entries(object(value) ?? {});
  return byPath.length === 0
    ? null
    : whole(byPath.map(([path, change]) => patchChange(path, object(change))));
}

function whole(changes: (FileChange | undefined)[]): FileChange[] | null {
  const known = changes.filter((change) => change !== undefined);
  return known.length === changes.length ? known : null;
}

function itemChange(change: Json | undefined): FileChange | undefined {
  const kind = object(change?.["kind"]);
  return changeOf(
    text(change?.["path"]),
    text(kind?.["type"]),
    text(change?.["diff"]),
    text(kind?.["move_path"]),
  );
}

function patchChange(path: string, change: Json | undefined): FileChange | undefined {
  const body = text(change?.["content"]) ?? text(change?.["unified_diff"]);
  return changeOf(path, text(change?.["type"]), body, text(change?.["move_path"]));
}

/** `body` is the whole file for an add or a delete, and hunks for an update, in both protocols. */
function changeOf(
  path: string | null,
  type: string | null,
  body: string | null,
  to: string | null,
): FileChange | undefined {
  if (path === null || path === "" || body === null) return undefined;
  if (type === "add") return { path, kind: "add", to: null, diff: diffOf("add", path, path, added(body)) };
  if (type === "delete")
    return { path, kind: "delete", to: null, diff: diffOf("delete", path, path, removed(body)) };
  if (type !== "update") return undefined;
  if (to === null) return { path, kind: "update", to, diff: diffOf("update", path, path, closed(body)) };
  // Codex also writes the target after the hunks.
  const note = `\n\nMoved to: ${to}`;
  const hunks = body.endsWith(note) ? body.slice(0, -note.length) : body;
  return { path, kind: "move", to, diff: diffOf("move", path, to, closed(hunks)) };
}

function diffOf(kind: ChangeKind, from: string, to: string, hunks: string): string {
  const renamed = kind === "move" ? `rename from ${named("", from)}\nrename to ${named("", to)}\n` : "";
  const before = kind === "add" ? "/dev/null" : named("a/", from);
  const after = kind === "delete" ? "/dev/null" : named("b/", to);
  return `${renamed}--- ${before}\n+++ ${after}\n${hunks}`;
}

/** Quoted when a newline or a quote in the name could look like another line of the diff. */
function named(prefix: string, path: string): string {
  const name = prefix === "" ? path : `${prefix}${path.replace(/^\//, "")}`;
  return /[\p{C}"\\]|^\s|\s$/u.test(name) ? JSON.stringify(name) : name;
}

function added(content: string): string {
  const lines = linesOf(content);
  return lines.length === 0 ? "" : `@@ -0,0 +1,${lines.length} @@\n${marked("+", content, lines)}`;
}

function removed(content: string): string {
  const lines = linesOf(content);
  return lines.length === 0 ? "" : `@@ -1,${lines.length} +0,0 @@\n${marked("-", content, lines)}`;
}

function linesOf(content: string): string[] {
  if (content === "") return [];
  return (content.endsWith("\n") ? content.slice(0, -1) : content).split("\n");
}

function marked(mark: string, content: string, lines: readonly string[]): string {
  const end = content.endsWith("\n") ? "" : "\\ No newline at end of file\n";
  return `${lines.map((line) => `${mark}${line}\n`).join("")}${end}`;
}

function closed(hunks: string): string {
  return hunks === "" || hunks.endsWith("\n") ? hunks : `${hunks}\n`;
}
