import { expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDirectory, ownerFault } from "../../src/base/directory.ts";
import { openLock, readLock } from "../../src/base/flock.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "directory-"));

test("no directory is made inside another user's, and nothing of it stays", () => {
  const home = join(scratch(), "anna");
  mkdirSync(home);
  const wanted = join(home, "deep", ".dispatch");
  const fault = makeDirectory(wanted, 4711);
  expect(fault?.code).toBe(process.getuid?.() === 0 ? undefined : "denied");
  if (process.getuid?.() !== 0) expect(existsSync(join(home, "deep"))).toBe(false);
});

test.skipIf(process.getuid?.() !== 0)(
  "root makes no home in a user's HOME, and is told how to call as that user",
  () => {
    const home = join(scratch(), "anna");
    mkdirSync(home);
    chownSync(home, 4711, 4711);
    const fault = makeDirectory(join(home, ".dispatch"), 0);
    expect(fault).toMatchObject({ code: "denied", message: expect.stringContaining("uid 4711") });
    expect(fault?.hint).toContain("sudo -u '#4711' dispatch");
    expect(existsSync(join(home, ".dispatch"))).toBe(false);
  },
);

test("a home that is no directory, or that no path can lead to, is an error of the one who named it", () => {
  const at = scratch();
  writeFileSync(join(at, "file"), "");
  symlinkSync("circle", join(at, "circle"));
  symlinkSync("nothing", join(at, "dangling"));
  symlinkSync(".", join(at, "link"));
  for (const name of ["file", "file/below", "circle", "circle/below", "dangling", "x".repeat(300)]) {
    const path = join(at, name);
    const thrownOr = (ask: () => unknown) => {
      try {
        return ask();
      } catch (thrown) {
        return thrown;
      }
    };
    expect(thrownOr(() => makeDirectory(path))).toMatchObject({ code: "usage" });
    if (name === "dangling") continue;
    expect(thrownOr(() => readLock(join(path, "lock")))).toMatchObject({ code: "usage" });
    expect(thrownOr(() => openLock(join(path, "lock")))).toMatchObject({ code: "usage" });
  }
  expect(makeDirectory(join(at, "link"))).toBeUndefined();
});

test("who finds a home that root made is told how to take it back", () => {
  const home = scratch();
  const owner = process.getuid!();
  const fault = ownerFault(home, 4711);
  expect(fault?.code).toBe("denied");
  if (owner === 0) expect(fault?.hint).toBe(`sudo chown -R 4711 ${home}`);
  expect(ownerFault(home, owner)).toBeUndefined();
  expect(ownerFault(join(home, "none"), 4711)).toBeUndefined();
});
