import { expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDirectory, ownerFault } from "../../src/base/directory.ts";

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

test("who finds a home that root made is told how to take it back", () => {
  const home = scratch();
  const owner = process.getuid!();
  const fault = ownerFault(home, 4711);
  expect(fault?.code).toBe("denied");
  if (owner === 0) expect(fault?.hint).toBe(`sudo chown -R 4711 ${home}`);
  expect(ownerFault(home, owner)).toBeUndefined();
  expect(ownerFault(join(home, "none"), 4711)).toBeUndefined();
});
