/** With which words Codex's own terminal is opened. */
import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What a Codex with this help was run with. Run in a process of its own: the environment names the executable. */
async function argsOf(help: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "terminal-"));
  const [codex, log] = [join(folder, "codex"), join(folder, "log")];
  const script = `#!/bin/sh\ncase "$*" in *--help*) cat "${folder}/help";; *) printf '%s\\n' "$*" >> "${log}";; esac\n`;
  writeFileSync(join(folder, "help"), help);
  writeFileSync(codex, script);
  chmodSync(codex, 0o755);
  const code = `const { runCodexInTerminal } = await import("${import.meta.dir}/../../src/daemon/terminal.ts");
    process.exit(await runCodexInTerminal(["resume", "T"]));`;
  const env = { ...process.env, DISPATCH_CODEX: codex, DISPATCH_HOME: folder };
  const child = Bun.spawn([process.execPath, "-e", code], { env, stderr: "pipe" });
  expect(await child.exited).toBe(0);
  return readFileSync(log, "utf8").trim().split("\n");
}

test("a Codex that knows --no-daemon is resumed with it", async () => {
  const help =
    "Options:\n      --last\n          The newest\n      --no-daemon\n          Not the shared one\n";
  expect(await argsOf(help)).toEqual(["resume T --no-daemon"]);
});

test("a Codex that does not know it, or only mentions it, is resumed without", async () => {
  expect(await argsOf("Options:\n      --last\n")).toEqual(["resume T"]);
  expect(await argsOf("Options:\n      --other\n          unlike --no-daemon\n")).toEqual(["resume T"]);
  expect(await argsOf("")).toEqual(["resume T"]);
});
