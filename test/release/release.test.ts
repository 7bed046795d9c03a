/** The parts of scripts/release on small files: the real archives take minutes, and the script checks them itself. */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import pkg from "../../package.json";
import { pack, stage } from "../../scripts/release.d/archive.ts";
import { binaryOf } from "../../scripts/release.d/binary.ts";
import { formula } from "../../scripts/release.d/formula.ts";
import { checkInstall } from "../../scripts/release.d/installing.ts";
import { installScript } from "../../scripts/release.d/installscript.ts";
import { manualPages } from "../../scripts/release.d/manual.ts";
import { roff } from "../../scripts/release.d/roff.ts";
import { verify } from "../../scripts/release.d/runtime.ts";
import { sbom } from "../../scripts/release.d/sbom.ts";
import { signAdHoc } from "../../scripts/release.d/sign.ts";
import { stepsOf } from "../../scripts/release.d/story.ts";
import { bunVersion, nativeTarget, packageName, targets } from "../../scripts/release.d/targets.ts";

const root = resolve(import.meta.dir, "../..");

async function inScratch<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "dispatch-release-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A shell script in place of the binary. */
function staged(
  folder: string,
  manual: ReadonlyMap<string, string> = new Map([["dispatch.1", ".TH X 1\n"]]),
): void {
  const binary = `${folder}.binary`;
  writeFileSync(binary, `#!/bin/sh\necho "$(basename "$0") ${pkg.version}"\n`, { mode: 0o755 });
  stage(folder, { binary, manual, thirdParty: "", sbom: "{}\n" });
}

const sha256 = (file: string) => createHash("sha256").update(readFileSync(file)).digest("hex");

test("the runtimes are of the Bun that builds and tests", () => {
  expect(bunVersion).toBe(Bun.version);
});

test("a package with another hash is refused and removed", () =>
  inScratch(async (folder) => {
    const file = join(folder, "x.tgz");
    writeFileSync(file, "x");
    expect(() => verify(file, targets[0]!.runtime.integrity)).toThrow("has the hash sha512-");
    expect(await Bun.file(file).exists()).toBe(false);
  }));

test("an archive has the same bytes whatever the umask and the order of writing", () =>
  inScratch(async (folder) => {
    const made: string[] = [];
    for (const umask of [0o022, 0o077]) {
      const before = process.umask(umask);
      try {
        const parent = join(folder, String(umask));
        mkdirSync(parent, { recursive: true });
        staged(join(parent, "dispatch"));
        await pack(parent, "dispatch", join(parent, "a.tar.gz"), 1_700_000_000);
        made.push(sha256(join(parent, "a.tar.gz")));
      } finally {
        process.umask(before);
      }
    }
    expect(made[0]).toBe(made[1]!);
  }));

test("install.sh installs what it verified, and nothing else", async () => {
  const native = nativeTarget();
  if (!native) return;
  await inScratch(async (folder) => {
    const name = packageName(native);
    staged(join(folder, name));
    const archive = join(folder, `${name}.tar.gz`);
    await pack(folder, name, archive, 0);
    const sums = new Map([[native.name, sha256(archive)]]);
    writeFileSync(join(folder, "install.sh"), installScript("https://example.com/v1", sums));
    expect(await checkInstall(folder, name, pkg.version)).toContain("installed twice");
  });
}, 30_000);

test("the formula has the archive and the checksum of each system", () => {
  const sums = new Map(targets.map(({ name }) => [name, createHash("sha256").update(name).digest("hex")]));
  const text = formula("https://example.com/v1", sums);
  for (const target of targets.filter(({ libc }) => libc !== "musl")) {
    expect(text).toContain(
      `url "https://example.com/v1/${packageName(target)}.tar.gz"\n      sha256 "${sums.get(target.name)}"`,
    );
  }
  // An upgrade removes the folder, and Codex would go on looking for it.
  expect(text).not.toContain("share/dispatch");
  expect(() => formula("https://example.com/v1", new Map())).toThrow("needs the archive of darwin-arm64");
});

test("the bill of materials names the runtime and each package with its licence", () => {
  const packages = [{ name: "@a/b", version: "1.0.0", license: "MIT", text: "", needs: [] }];
  const bom = JSON.parse(sbom(targets[0]!, packages, "2026-01-01T00:00:00.000Z"));
  expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
  expect(bom.components.map(({ purl }: { purl: string }) => purl)).toEqual([
    `pkg:npm/%40oven/bun-linux-x64@${bunVersion}`,
    "pkg:npm/%40a/b@1.0.0",
  ]);
});

test("text in a man page is never a request, and what is typed keeps its hyphens", () => {
  const blocks = [{ kind: "text", text: ".TH is not a request\n'nor this\nback\\slash --flag" }] as const;
  const page = roff({
    name: "x",
    summary: "s",
    date: "2026-01-01",
    source: "x 1",
    sections: [{ heading: "Description", blocks }],
  });
  const lines = page.split("\n");
  expect(lines).toContain("\\&.TH is not a request");
  expect(lines).toContain("\\(aqnor this");
  expect(lines).toContain("back\\eslash \\-\\-flag");
});

test("every first word of a command has its page, and mandoc has no complaint", async () => {
  const pages = await manualPages("2026-01-01");
  expect([...pages.keys()]).toEqual(
    expect.arrayContaining([
      "dispatch.1",
      "dispatchd.1",
      "dispatch-mcp.1",
      "dispatch-send.1",
      "dispatch-queue.1",
    ]),
  );
  if (!Bun.which("mandoc")) return;
  await inScratch(async (folder) => {
    for (const [name, text] of pages) writeFileSync(join(folder, name), text);
    const files = [...pages.keys()].map((name) => join(folder, name));
    const { stdout, exitCode } = Bun.spawnSync(["mandoc", "-T", "lint", "-W", "warning", ...files]);
    expect([exitCode, stdout.toString()]).toEqual([0, ""]);
  });
});

test("README's first five minutes can be read as commands", () => {
  const steps = stepsOf(readFileSync(join(root, "README.md"), "utf8"), "The first five minutes");
  expect(steps.length).toBeGreaterThan(6);
  expect(steps[0]!.line).toStartWith("dispatch new");
  expect(steps.filter(({ isRefused }) => isRefused).map(({ line }) => line)).toEqual([
    "dispatch get @nobody",
  ]);
});

test("this runtime is read as the binary that it is", () => {
  if (process.platform !== "linux") return;
  const binary = binaryOf(readFileSync(process.execPath));
  expect(binary).toMatchObject({ format: "elf", arch: process.arch });
  expect(binary.interpreter).toStartWith("/lib");
  expect(binary.glibc).toMatch(/^2\.\d+$/);
});

/** The smallest Mach-O with code, a place for a signature, and hashes of nothing in it. */
function machO(): Uint8Array {
  const bytes = new Uint8Array(0x6000);
  const view = new DataView(bytes.buffer);
  const word = (at: number, ...all: number[]) => {
    for (const [n, value] of all.entries()) view.setUint32(at + n * 4, value, true);
  };
  const segment = (at: number, name: string, from: number, size: number) => {
    word(at, 0x19, 72);
    bytes.set(new TextEncoder().encode(name), at + 8);
    view.setBigUint64(at + 40, BigInt(from), true);
    view.setBigUint64(at + 48, BigInt(size), true);
  };
  word(0, 0xfeedfacf, 0x01000007, 3, 2, 4);
  segment(32, "__TEXT", 0, 0x4000);
  segment(104, "__LINKEDIT", 0x4000, 0x2000);
  word(176, 0x1d, 16, 0x5000, 0x1000);
  word(192, 0x32, 24, 1, 13 << 16);
  bytes.fill(7, 0x1000, 0x4000);
  return bytes;
}

test("a signed executable has the right hash of each page, and a changed byte is noticed", () => {
  const bytes = machO();
  expect(binaryOf(bytes)).toMatchObject({ format: "macho", arch: "x64", macos: "13.0", isSigned: false });
  const signed = signAdHoc(bytes, "dispatch");
  expect(binaryOf(signed)).toMatchObject({ isSigned: true });
  signed[0x2000]! ^= 1;
  expect(binaryOf(signed)).toMatchObject({ isSigned: false });
});
