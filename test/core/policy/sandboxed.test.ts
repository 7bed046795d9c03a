/** What an approval surely keeps inside the sandbox: a patch of the writable folder, and nothing else. */

import { expect, test } from "bun:test";
import { type RequestKind, requestKinds } from "../../../src/contract/words.ts";
import type { FileChange } from "../../../src/core/model/ports/filechange.ts";
import type { RequestFacts } from "../../../src/core/model/ports/request.ts";
import type { EffectiveSettings } from "../../../src/core/model/ports/thread.ts";
import { staysInside } from "../../../src/core/policy/sandboxed.ts";
import { nothingAsked } from "../../world/model.ts";

const isInside = (path: string, root: string) =>
  !path.startsWith("/repo/link/") && (path === root || path.startsWith(`${root}/`));
const effective = { sandbox: "workspace-write", permission_profile: null } as EffectiveSettings;
const lane = { effective, cwd: "/repo" };
const change = (path: string, to: string | null = null): FileChange => ({
  path,
  kind: to === null ? "update" : "move",
  to,
  diff: "",
});
const patch = (...changes: FileChange[]): Pick<RequestFacts, "kind" | "changes" | "asks"> => ({
  kind: "file_change_approval",
  changes,
  asks: nothingAsked,
});
const stays = (asked: Pick<RequestFacts, "kind" | "changes" | "asks">, of = lane) =>
  staysInside(asked, of, isInside);

test("a patch of the writable folder stays", () => {
  expect(stays(patch(change("/repo/a"), change("/repo/b", "/repo/c/d")))).toBe(true);
});

test.each([
  ["a path outside", patch(change("/repo/a"), change("/etc/passwd"))],
  ["a move out of it", patch(change("/repo/a", "/etc/a"))],
  ["a path that goes up", patch(change("/repo/../etc/a"))],
  ["a relative path", patch(change("a"))],
  ["a path through a link out of it", patch(change("/repo/link/a"))],
  ["a hook of git", patch(change("/repo/.git/hooks/pre-commit"))],
  ["one of a folder below", patch(change("/repo/sub/.GIT/config"))],
  ["Codex's own configuration", patch(change("/repo/.codex/config.toml"))],
  [
    "a folder that is to stay writable",
    { ...patch(change("/repo/a")), asks: { ...nothingAsked, grant_root: "/repo" } },
  ],
  ["a sub-agent's", { ...patch(change("/repo/a")), asks: { ...nothingAsked, sub_agent: "thread-2" } }],
  ["files that are not known", { ...patch(), changes: null }],
])("%s does not", (_, asked) => expect(stays(asked)).toBe(false));

test("nor does any patch where the sandbox is not known to write in that folder", () => {
  for (const over of [{ sandbox: "read-only" }, { sandbox: null }, { permission_profile: ":x" }] as const)
    expect(stays(patch(change("/repo/a")), { ...lane, effective: { ...effective, ...over } })).toBe(false);
  expect(staysInside(patch(change("/repo/a")), { ...lane, effective: null }, isInside)).toBe(false);
});

test("an answer to a question runs nothing", () => {
  for (const kind of ["user_input", "elicitation"] as const)
    expect(stays({ ...patch(), changes: null, kind })).toBe(true);
});

test("nor any other kind of approval", () => {
  const isOther = (kind: RequestKind) =>
    !["file_change_approval", "user_input", "elicitation"].includes(kind);
  const kinds = requestKinds.filter(isOther);
  for (const kind of kinds) expect(stays({ ...patch(change("/repo/a")), kind })).toBe(false);
});
