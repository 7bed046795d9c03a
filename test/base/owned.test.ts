import { expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, mkdtempSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownedAt, ownedByRuntime } from "../../src/base/owned.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "owned-"));

test("owner and mode are those of stat, through links and for names that are not ASCII", () => {
  const dir = join(scratch(), "d\u00fcr");
  mkdirSync(dir);
  symlinkSync(dir, `${dir}-link`);
  for (const mode of [0o700, 0o755, 0o1777]) {
    chmodSync(dir, mode);
    const { uid, mode: found } = statSync(dir);
    for (const path of [dir, `${dir}-link`])
      for (const ask of [ownedAt, ownedByRuntime]) expect(ask(path)).toMatchObject({ uid, mode: found });
  }
});

test.skipIf(process.getuid?.() !== 0)("the owner may be another user, with a large uid", () => {
  const dir = scratch();
  chownSync(dir, 3_000_000_000, 1);
  for (const ask of [ownedAt, ownedByRuntime]) expect(ask(dir)?.uid).toBe(3_000_000_000);
});

test("nothing is found where nothing is", () => {
  for (const ask of [ownedAt, ownedByRuntime]) expect(ask(join(scratch(), "none"))).toBeUndefined();
});
