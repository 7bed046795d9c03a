import pkg from "../../package.json" with { type: "json" };

export const version: string = pkg.version;

/** By the rules of semver; a version that is none is newer than nothing. */
export function isNewer(one: string, other: string): boolean {
  try {
    return Bun.semver.order(one, other) > 0;
  } catch {
    return false;
  }
}
