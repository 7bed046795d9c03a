/**
 * A stand-in for `systemctl --user`: it reads the unit as systemd does and starts it with the unit's environment alone.
 *   systemctl-fake.ts FOLDER ARGUMENT...      FOLDER gets `calls`, `enabled` and `pid`
 */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder, , verb, ...rest] = process.argv.slice(2) as [string, string, string, ...string[]];
const [pidFile, enabledFile] = [join(folder, "pid"), join(folder, "enabled")];
appendFileSync(join(folder, "calls"), `${[verb, ...rest].join(" ")}\n`);

if (verb === "enable") writeFileSync(enabledFile, "");
if (verb === "disable") rmSync(enabledFile, { force: true });
if (verb === "start")
  start(readFileSync(join(process.env["HOME"]!, ".config/systemd/user", rest[0]!), "utf8"));
if (verb === "show") {
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  const state = existsSync(enabledFile) ? "enabled" : "disabled";
  await Bun.write(Bun.stdout, `Version=252\nMainPID=${isAlive(pid) ? pid : 0}\nUnitFileState=${state}\n`);
}

function start(unit: string): void {
  const valuesOf = (key: string) =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, "gm"))].map(([, text]) => text!);
  const variables = valuesOf("Environment").flatMap(wordsOf);
  const env = Object.fromEntries(variables.map((text) => text.split(/=(.*)/s).slice(0, 2)));
  const command = wordsOf(valuesOf("ExecStart")[0]!).map((text) => text.replaceAll("$$", "$"));
  const child = Bun.spawn(command, {
    detached: true,
    cwd: valuesOf("WorkingDirectory")[0]!,
    env: { HOME: process.env["HOME"]!, ...env },
    stdio: ["ignore", "ignore", "ignore"],
  });
  child.unref();
  writeFileSync(pidFile, String(child.pid));
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) =>
    text!.replace(/\\(.)/g, "$1").replaceAll("%%", "%"),
  );
}

/** One that has ended and that nobody has waited for has no command line any more. */
function isAlive(pid: number): boolean {
  const file = `/proc/${pid}/cmdline`;
  return pid > 0 && existsSync(file) && readFileSync(file).length > 0;
}
