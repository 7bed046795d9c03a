/** What an unpacked archive has to be: its files, its modes, its binary and the version inside. */
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import pkg from "../../package.json";
import { completions } from "./archive.ts";
import { binaryOf } from "./binary.ts";
import type { Target } from "./targets.ts";

/** The oldest systems that the runtime was built for. A newer Bun may move them: then README changes too. */
const oldest = { glibc: "2.17", macos: "13.0" };

const expected = [
  "bin/dispatch",
  "share/man/man1/dispatch.1",
  "share/man/man1/dispatchd.1",
  "share/man/man1/dispatch-send.1",
  ...Object.values(completions),
  "share/dispatch/plugins/dispatch/.mcp.json",
  "share/dispatch/.claude-plugin/marketplace.json",
  "share/dispatch/.agents/plugins/marketplace.json",
  "README.md",
  "LICENSE",
  "THIRD-PARTY.md",
  "sbom.cdx.json",
];

/** Throws what is wrong. Returns what the binary is, in words. */
export function checkFormat(folder: string, target: Target): string {
  for (const path of expected)
    if (!lstatSync(join(folder, path), { throwIfNoEntry: false })?.isFile())
      throw new Error(`${path} is missing`);
  if (readlinkSync(join(folder, "bin/dispatchd")) !== "dispatch")
    throw new Error("bin/dispatchd is not the link to dispatch");
  const path = join(folder, "bin/dispatch");
  if ((lstatSync(path).mode & 0o777) !== 0o755) throw new Error("bin/dispatch is not executable by all");
  const bytes = readFileSync(path);
  const binary = binaryOf(bytes);
  if (binary.arch !== target.arch) throw new Error(`bin/dispatch is for ${binary.arch}`);
  if (!bytes.includes(`name:"dispatch",version:"${pkg.version}"`))
    throw new Error(`bin/dispatch does not carry the version ${pkg.version}`);
  if (target.os === "darwin") {
    if (binary.format !== "macho") throw new Error("bin/dispatch is not a Mach-O executable");
    if (binary.isSigned !== true) throw new Error("the code signature of bin/dispatch is missing or wrong");
    if (binary.macos !== oldest.macos) throw new Error(`bin/dispatch needs macOS ${binary.macos}`);
    return `Mach-O ${binary.arch}, signed, macOS ${binary.macos} or newer`;
  }
  if (binary.format !== "elf") throw new Error("bin/dispatch is not an ELF executable");
  const isMusl = /\/ld-musl-/.test(binary.interpreter ?? "");
  if (isMusl !== (target.libc === "musl")) throw new Error(`bin/dispatch is loaded by ${binary.interpreter}`);
  if (!isMusl && binary.glibc !== oldest.glibc) throw new Error(`bin/dispatch needs glibc ${binary.glibc}`);
  const system = isMusl ? `musl with ${binary.needs!.join(", ")}` : `glibc ${binary.glibc} or newer`;
  return `ELF ${binary.arch}, ${system}`;
}
