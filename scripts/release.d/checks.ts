/** Checks of a release, as far as this machine can run them. */
import type { Target } from "./targets.ts";

export async function checkRelease(_into: string, _targets: readonly Target[]): Promise<boolean> {
  return true;
}
