/** The npm packages whose code is inside the binary, with their licences. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

export interface Package {
  name: string;
  version: string;
  /** SPDX. */
  license: string;
  /** The text of its licence file. */
  text: string;
  /** Names of packages that it needs and that are inside too. */
  needs: string[];
}

/** `inputs`: the files that the bundler read, from the root. Throws when a package does not carry its licence. */
export function packagesOf(inputs: readonly string[]): Package[] {
  const folders = new Set(
    inputs.flatMap((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []),
  );
  const found = [...folders].map((folder) => read(join(root, folder)));
  const names = new Set(found.map(({ name }) => name));
  return found
    .map((one) => ({ ...one, needs: one.needs.filter((name) => names.has(name)) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function read(folder: string): Package {
  const { name, version, license, dependencies, peerDependencies } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  const file = readdirSync(folder).find((entry) => /^(?:licen[cs]e|copying)(?:\.|$)/i.test(entry));
  if (typeof license !== "string" || file === undefined)
    throw new Error(`${folder} does not say its licence: add it by hand to scripts/release.d/packages.ts`);
  const needs = Object.keys({ ...dependencies, ...peerDependencies }).sort();
  return { name, version, license, text: readFileSync(join(folder, file), "utf8").trim(), needs };
}

/** What `THIRD-PARTY.md` says: of the runtime, and of each package. */
export function thirdParty(packages: readonly Package[], bunVersion: string): string {
  const note = readFileSync(join(import.meta.dir, "bun.md"), "utf8").replaceAll("{version}", bunVersion);
  const parts = packages.map(
    ({ name, version, license, text }) => `## ${name} ${version}\n\n${license}\n\n\`\`\`\n${text}\n\`\`\`\n`,
  );
  return [note, ...parts].join("\n");
}

/** Of this project. */
export function licenseText(): string {
  const path = join(root, "LICENSE");
  if (!existsSync(path)) throw new Error(`no ${path}`);
  return readFileSync(path, "utf8");
}
