/** The real Codex behind somebody who garbles, withholds and lies: each fault is put on and taken off while it runs. */
import { randomBytes } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

export interface Faults {
  /** Ends at once, with these words on stderr. */
  crash?: string;
  /** Notifications of these methods never arrive. */
  swallow?: string[];
  /** Calls of these methods are carried out and their answers never arrive. */
  mute?: string[];
  /** Answers to calls of these methods arrive so late. */
  late?: { methods: string[]; ms: number };
  /** Calls of these methods never reach Codex. */
  drop?: string[];
  /** So many calls of this method are answered so and never reach Codex. */
  instead?: { method: string; times: number; result?: object; error?: object };
  /** Written once, ahead of the next `turn/started`. */
  noise?: "garbage" | "huge" | "flood";
  /** Every line comes in three pieces. */
  chop?: boolean;
  /** Answers are withheld until there are so many, and then told last first. */
  backwards?: number;
}

export interface Unruly {
  /** For DISPATCH_CODEX. */
  path: string;
  /** From now on; replaces what was. */
  be(faults: Faults): void;
  cleanup(): void;
}

const root = resolve(import.meta.dir, "../..");

export function proxyCodex(first: Faults = {}): Unruly {
  const folder = join(root, ".scratch", randomBytes(6).toString("hex"));
  mkdirSync(folder, { recursive: true });
  const [path, orders] = [join(folder, "codex"), join(folder, "faults.json")];
  let said = 0;
  const be = (faults: Faults) => {
    // In one step: the proxy may be reading it.
    writeFileSync(`${orders}.new`, JSON.stringify({ ...faults, nth: ++said }));
    renameSync(`${orders}.new`, orders);
  };
  be(first);
  const script = `#!/bin/sh\nFAULTS='${orders}' exec '${process.execPath}' '${join(import.meta.dir, "fault-proxy-child.ts")}' "$@"\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return { path, be, cleanup: () => rmSync(folder, { recursive: true, force: true }) };
}
