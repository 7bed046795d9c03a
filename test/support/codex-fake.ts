import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** How a fake app-server behaves. It answers any other method with its own params. */
export interface FakeCodex {
  /** `silent` never answers, `works` computes until SIGUSR2, `babbles` does so and prints garbage; a number is an exit status, after `stderr` and `stdout`. */
  initialize?: "ok" | "silent" | "works" | "babbles" | "refuse" | number;
  ping?: "ok" | "silent";
  stderr?: string;
  /** What is not of the protocol, before everything else. */
  stdout?: string;
  /** Written, each as a line, right after the answer to `initialize`. */
  lines?: string[];
  /** Calls of this method are answered with this, when `thread/backgroundTerminals/clean` is called. */
  held?: { method: string; result: object };
  /** Ignores TERM, and the end of its input. */
  stubborn?: boolean;
}

const root = resolve(import.meta.dir, "../..");

/** An executable that behaves so. */
export function fakeCodex(how: FakeCodex): { path: string; cleanup(): void } {
  const folder = join(root, ".scratch", randomBytes(6).toString("hex"));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "codex");
  const quoted = JSON.stringify(how).replaceAll("'", "'\\''");
  const script = `#!/bin/sh\nFAKE='${quoted}' exec '${process.execPath}' '${join(import.meta.dir, "codex-fake-child.ts")}' "$@"\n`;
  writeFileSync(path, script, { mode: 0o755 });
  return { path, cleanup: () => rmSync(folder, { recursive: true, force: true }) };
}
