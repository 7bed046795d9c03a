/**
 * Makes the files of a release in dist/release: an archive for each target, the formula, the install script and the
 * checksums, and checks each of them as far as this machine can.
 *
 *   release [--url URL] [--target NAME]... [--twice] [--no-check] [--roots DIR]
 *
 * --url: where the files will be; the formula and the install script download from there. --twice: makes everything a
 * second time and compares the bytes. --roots: DIR/TARGET is a root file system in which the archive of that target runs.
 * The exit status is 1 when a check fails.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compile } from "./build.d/compile.ts";
import { pack, stage } from "./release.d/archive.ts";
import { binaryOf } from "./release.d/binary.ts";
import { checkRelease } from "./release.d/checks.ts";
import { fromRoot, output, progress } from "./release.d/command.ts";
import { formula } from "./release.d/formula.ts";
import { installScript } from "./release.d/installscript.ts";
import { manualPages } from "./release.d/manual.ts";
import { packagesOf, thirdParty } from "./release.d/packages.ts";
import { runtimeOf } from "./release.d/runtime.ts";
import { sbom } from "./release.d/sbom.ts";
import { signAdHoc } from "./release.d/sign.ts";
import { bunVersion, packageName, targets } from "./release.d/targets.ts";

const root = resolve(import.meta.dir, "..");
const scratch = join(root, ".scratch/release");
const { values } = parseArgs({
  options: {
    url: { type: "string" },
    target: { type: "string", multiple: true },
    twice: { type: "boolean" },
    check: { type: "boolean", default: true },
    roots: { type: "string" },
  },
  allowNegative: true,
});

const unknown = values.target?.find((name) => !targets.some((target) => target.name === name));
if (unknown !== undefined) {
  await Bun.write(
    Bun.stderr,
    `no target "${unknown}"; there are ${targets.map(({ name }) => name).join(" ")}\n`,
  );
  process.exit(2);
}
const chosen = targets.filter(({ name }) => values.target === undefined || values.target.includes(name));
process.exitCode = await release();

async function release(): Promise<number> {
  const changed = (await output(["git", "status", "--porcelain"])).trim();
  if (changed !== "") process.stderr.write("the checkout has changes that are in no commit\n");
  const into = join(root, "dist/release");
  const rounds = values.twice ? 2 : 1;
  const step = progress(rounds * chosen.length * 2);
  const files = await make(into, step);
  if (values.twice) {
    const again = join(scratch, "again");
    const second = await make(again, step);
    const different = files.filter((file) => sha256(join(into, file)) !== sha256(join(again, file)));
    if (different.length > 0 || second.length !== files.length)
      throw new Error(`the second time these differ: ${different.join(", ")}`);
    rmSync(again, { recursive: true });
    process.stderr.write(`made twice: ${files.length} files with the same bytes\n`);
  }
  const isRight = values.check ? await checkRelease(into, chosen, values.roots) : true;
  const rows = files.map((file) => {
    const size = `${(statSync(join(into, file)).size / 1e6).toFixed(1)} MB`;
    return `${file.padEnd(44)}${size.padStart(9)}  ${sha256(join(into, file))}`;
  });
  process.stdout.write(`${fromRoot(into)}\n${rows.join("\n")}\n`);
  return isRight ? 0 : 1;
}

/** Returns the names of the files, sorted. */
async function make(into: string, step: (what: string) => void): Promise<string[]> {
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into, { recursive: true });
  // The time of the commit is the time of everything, so that the same commit gives the same bytes.
  const seconds = Number(await output(["git", "log", "-1", "--format=%ct"]));
  const time = new Date(seconds * 1000).toISOString();
  const manual = await manualPages(time.slice(0, 10));
  const sums = new Map<string, string>();
  for (const target of chosen) {
    step(`${target.name}: build`);
    const build = join(scratch, "build", target.name);
    const runtime = { file: await runtimeOf(target, join(scratch, "runtimes")), target: target.compile };
    const packages = packagesOf(await compile({ into: build, runtime }));
    const binary = join(build, "dispatch");
    if (target.os === "darwin" && binaryOf(readFileSync(binary)).isSigned !== true)
      writeFileSync(binary, signAdHoc(readFileSync(binary), "dispatch"));
    const folder = join(scratch, "stage", packageName(target));
    stage(folder, {
      binary,
      manual,
      thirdParty: thirdParty(packages, bunVersion),
      sbom: sbom(target, packages, time),
    });
    step(`${target.name}: pack`);
    const archive = join(into, `${packageName(target)}.tar.gz`);
    await pack(join(scratch, "stage"), packageName(target), archive, seconds);
    sums.set(target.name, sha256(archive));
    rmSync(folder, { recursive: true });
    rmSync(build, { recursive: true });
  }
  const url = values.url ?? `file://${join(root, "dist/release")}`;
  // A formula needs the archives of every system.
  if (chosen.length === targets.length) writeFileSync(join(into, "dispatch.rb"), formula(url, sums));
  writeFileSync(join(into, "install.sh"), installScript(url, sums), { mode: 0o755 });
  const files = [...new Bun.Glob("*").scanSync(into)].sort();
  const lines = files.map((file) => `${sha256(join(into, file))}  ${file}\n`);
  writeFileSync(join(into, "SHA256SUMS"), lines.join(""));
  return ["SHA256SUMS", ...files];
}

function sha256(file: string): string {
  return createHash("sha256").update(readFileSync(file)).digest("hex");
}
