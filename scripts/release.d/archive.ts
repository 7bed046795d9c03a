/** One archive: the folder as it is unpacked, and the same bytes for the same commit. */
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { marketplaceFiles } from "../../src/daemon/plugin/files.ts";
import { scripts } from "../../src/surface/cli/complete/scripts.ts";
import { output } from "./command.ts";
import { licenseText } from "./packages.ts";

const root = resolve(import.meta.dir, "../..");

/** Where each shell looks for completions below a prefix. */
export const completions = {
  bash: "share/bash-completion/completions/dispatch",
  zsh: "share/zsh/site-functions/_dispatch",
  fish: "share/fish/vendor_completions.d/dispatch.fish",
} as const;

export interface Content {
  binary: string;
  manual: ReadonlyMap<string, string>;
  thirdParty: string;
  sbom: string;
}

/** Writes the folder. `bin` and `share` are laid out as below a prefix, so that to install is to copy. */
export function stage(folder: string, { binary, manual, thirdParty, sbom }: Content): void {
  rmSync(folder, { recursive: true, force: true });
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  mkdirSync(join(folder, "bin"), { recursive: true });
  cpSync(binary, join(folder, "bin/dispatch"));
  symlinkSync("dispatch", join(folder, "bin/dispatchd"));
  for (const [name, text] of manual) put(`share/man/man1/${name}`, text);
  for (const [shell, path] of Object.entries(completions)) put(path, scripts[shell as keyof typeof scripts]);
  for (const [path, text] of marketplaceFiles) put(`share/dispatch/${path}`, text);
  cpSync(join(root, "README.md"), join(folder, "README.md"));
  put("LICENSE", licenseText());
  put("THIRD-PARTY.md", thirdParty);
  put("sbom.cdx.json", sbom);
  normalise(folder);
  chmodSync(join(folder, "bin/dispatch"), 0o755);
}

/** The modes do not depend on the umask of who makes the release. */
function normalise(path: string): void {
  const found = lstatSync(path);
  if (found.isSymbolicLink()) return;
  chmodSync(path, found.isDirectory() ? 0o755 : 0o644);
  if (found.isDirectory()) for (const entry of readdirSync(path)) normalise(join(path, entry));
}

/** Packs `parent/name` as `file`. `seconds`: the time of every entry, since 1970. Needs GNU tar. */
export async function pack(parent: string, name: string, file: string, seconds: number): Promise<void> {
  const tar = await gnuTar();
  const plain = file.replace(/\.gz$/, "");
  await output([
    ...[tar, "--create", "--format=gnu", "--sort=name", `--mtime=@${seconds}`],
    ...["--owner=0", "--group=0", "--numeric-owner", "--file", plain, "--directory", parent, name],
  ]);
  rmSync(file, { force: true });
  await output(["gzip", "--no-name", "-9", plain]);
}

async function gnuTar(): Promise<string> {
  for (const name of ["tar", "gtar"]) {
    const version = await output([name, "--version"]).catch(() => "");
    if (version.includes("GNU tar")) return name;
  }
  throw new Error("there is no GNU tar: on macOS, brew install gnu-tar");
}
