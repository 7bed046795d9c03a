/** Checks of a release, as far as this machine can run them: each passes, fails, or says why it was not run. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import pkg from "../../package.json";
import { output } from "./command.ts";
import { checkFormat } from "./format.ts";
import { checkInstall } from "./installing.ts";
import { placesFor } from "./place.ts";
import { tellStory } from "./story.ts";
import { nativeTarget, packageName, type Target } from "./targets.ts";

const scratch = resolve(import.meta.dir, "../../.scratch/release/unpacked");

/** Thrown by a check that this machine cannot run. */
class NotRun extends Error {}

type Check = readonly [name: string, run: () => Promise<string>];

/** `roots`: a folder with a root file system for each target, by its name. True when no check failed. */
export async function checkRelease(
  into: string,
  targets: readonly Target[],
  roots: string | undefined,
): Promise<boolean> {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const unpacked = (target: Target) => join(scratch, packageName(target));
  const native = targets.find((target) => target === nativeTarget());
  const checks: Check[] = [
    [
      "checksums",
      () => output(["sha256sum", "--check", "--quiet", "SHA256SUMS"], { cwd: into }).then(() => "all"),
    ],
    ...targets.flatMap((target): Check[] => [
      [
        `${target.name}: format`,
        async () => {
          await output(["tar", "-xzf", join(into, `${packageName(target)}.tar.gz`), "-C", scratch]);
          return checkFormat(unpacked(target), target);
        },
      ],
      ...(target.arch === process.arch || target.os !== "linux"
        ? []
        : [[`${target.name}: runs`, () => runs(target, unpacked(target), roots)] as const]),
      ...placesFor(target.name, roots)
        .filter(() => target === native || (target.arch === process.arch && target.os === process.platform))
        .map(
          (place): Check => [
            `${target.name}: first five minutes in ${place.name}`,
            async () => `${(await tellStory(place, unpacked(target))).length} commands`,
          ],
        ),
    ]),
    ...(native
      ? ([
          ["manual", () => manual(unpacked(native))],
          ["completions", () => completion(unpacked(native))],
          ["formula", () => brew(into, unpacked(native), native)],
          ["install.sh", () => checkInstall(into, packageName(native), pkg.version)],
        ] as const)
      : []),
  ];
  let isRight = true;
  for (const [name, run] of checks) {
    try {
      report("ok", name, await run());
    } catch (thrown) {
      const isNotRun = thrown instanceof NotRun;
      isRight &&= isNotRun;
      report(
        isNotRun ? "not run" : "FAILED",
        name,
        thrown instanceof Error ? thrown.message : String(thrown),
      );
    }
  }
  rmSync(scratch, { recursive: true, force: true });
  return isRight;
}

function report(status: string, name: string, words: string): void {
  process.stderr.write(`${status.padEnd(8)} ${name}: ${words}\n`);
}

/** Linux on another processor: by the emulator, with the libraries of its root file system. */
async function runs(target: Target, folder: string, roots: string | undefined): Promise<string> {
  const root = roots === undefined ? undefined : join(roots, target.name);
  if (root === undefined || !existsSync(root))
    throw new NotRun(`no root file system ${target.name} in --roots`);
  const program = join(folder, "bin/dispatch");
  const emulator = Bun.which(`qemu-${target.arch === "arm64" ? "aarch64" : "x86_64"}-static`);
  if (!emulator) throw new NotRun("no qemu-user-static");
  const version = await output([emulator, "-L", root, program, "--version"]);
  const schema = await output([emulator, "-L", root, program, "schema", "send"]);
  if (version.trim() !== `dispatch ${pkg.version}` || JSON.parse(schema).op !== "message.send")
    throw new Error(`it prints ${version}`);
  return `--version and a schema, by ${emulator}`;
}

/** Each renderer that is there, and none of them warns. */
async function manual(folder: string): Promise<string> {
  const pages = join(folder, "share/man/man1");
  const files = readdirSync(pages).map((name) => join(pages, name));
  const used: string[] = [];
  if (Bun.which("mandoc")) {
    await output(["mandoc", "-T", "lint", "-W", "warning", ...files]);
    used.push("mandoc");
  }
  if (Bun.which("groff")) {
    const child = Bun.spawnSync(["groff", "-man", "-ww", "-Tutf8", ...files]);
    if (child.stderr.length > 0) throw new Error(child.stderr.toString());
    used.push("groff");
  }
  if (used.length === 0) throw new NotRun("neither mandoc nor groff is there");
  return `${files.length} pages without a warning of ${used.join(" and ")}`;
}

async function completion(folder: string): Promise<string> {
  const files = {
    bash: "share/bash-completion/completions/dispatch",
    zsh: "share/zsh/site-functions/_dispatch",
    fish: "share/fish/vendor_completions.d/dispatch.fish",
  };
  const used = Object.entries(files).filter(([shell]) => Bun.which(shell));
  for (const [shell, path] of used) await output([shell, "-n", join(folder, path)]);
  return `read by ${used.map(([shell]) => shell).join(", ")}`;
}

/** What Homebrew would do with the formula, done by formula.rb. */
async function brew(into: string, folder: string, target: Target): Promise<string> {
  const file = join(into, "dispatch.rb");
  if (!existsSync(file)) throw new NotRun("a formula is made only with all targets");
  if (!Bun.which("ruby")) throw new NotRun("no ruby");
  await output(["ruby", "-c", "-W", file]);
  const prefix = join(scratch, "brew");
  const script = join(import.meta.dir, "formula.rb");
  const said = JSON.parse(await output(["ruby", script, file, target.os, target.arch, folder, prefix]));
  const sums = await Bun.file(join(into, "SHA256SUMS")).text();
  if (!sums.includes(`${said.sha256}  ${packageName(target)}.tar.gz`)) throw new Error("another checksum");
  const hasStyle = Bun.which("brew") !== null;
  if (hasStyle) await output(["brew", "style", file]);
  return `ruby -c${hasStyle ? " and brew style" : ""}; installed and tested by a copy of its steps`;
}
