import pkg from "../../package.json" with { type: "json" };

export const version: string = pkg.version;

/** By the rules of semver. False when one of them is not a version. */
export function isNewer(version: string, other: string): boolean {
  try {
    return Bun.semver.order(version, other) > 0;
  } catch {
    return false;
  }
}
