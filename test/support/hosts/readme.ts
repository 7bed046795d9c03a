/** The entries that README shows for each host: a test gives a host exactly what a user copies. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const text = readFileSync(join(import.meta.dir, "../../../README.md"), "utf8");

export type Entry = Record<string, unknown>;

function sectionOf(host: string): string {
  const section = text.split(/^#{3,4} /m).find((one) => one.startsWith(`${host}\n`));
  if (section === undefined) throw new Error(`README has no section ${host}`);
  return section;
}

/** The first block of code in the section of this host. */
export function blockOf(host: string, language: string): string {
  const block = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, "m").exec(sectionOf(host))?.[1];
  if (block === undefined) throw new Error(`README has no ${language} for ${host}`);
  return block;
}

export const jsonOf = (host: string): Entry => JSON.parse(blockOf(host, "json")) as Entry;

export const tomlOf = (host: string): Entry => Bun.TOML.parse(blockOf(host, "toml")) as Entry;

/** The setting that lets the tools run unasked, as JSON. */
export function ruleOf(host: string): string {
  const rule = /`(\{"permissions".*?\})`/.exec(sectionOf(host))?.[1];
  if (rule === undefined) throw new Error(`README has no rule for ${host}`);
  return rule;
}
