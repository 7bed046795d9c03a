/** Files and folders that an ordinary user may not use: what fails names them and the way out, and so does `doctor`. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codes } from "../../src/base/error.ts";
import { binary, type Json } from "../support/dispatch.ts";

setDefaultTimeout(60_000);

const isRoot = process.getuid?.() === 0;
/** Root may use everything, so its tests run as somebody else. */
const uid = isRoot ? 65_534 : process.getuid!();
const as = isRoot ? ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"] : [];

let root: string;
let program: string;
const at = (...names: string[]) => join(root, ...names);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "closed-"));
  for (const name of ["home", "d", "codex", "codex/sessions"]) mkdirSync(at(name), { mode: 0o700 });
  // Reads no more than it is asked for; only its start counts here.
  writeFileSync(at("codex.sh"), "#!/bin/sh\necho codex-cli 0.171.0\n", { mode: 0o755 });
  program = binary;
  if (!isRoot) return;
  // The checkout may be in a folder that only root can enter.
  program = at("dispatch");
  copyFileSync(binary, program);
  for (const name of ["", "home", "d", "codex", "codex/sessions"]) chownSync(at(name), uid, uid);
});

afterEach(() => {
  for (const name of ["home", "codex", "codex/sessions"]) chmodSync(at(name), 0o700);
  run("down", "--force");
  rmSync(root, { recursive: true, force: true });
});

function run(...args: string[]) {
  const env = {
    PATH: "/usr/bin:/bin",
    HOME: at("home"),
    DISPATCH_HOME: at("d"),
    CODEX_HOME: at("codex"),
    DISPATCH_CODEX: at("codex.sh"),
  };
  const { exitCode, stdout, stderr } = Bun.spawnSync([...as, program, ...args, "--json"], { env, cwd: "/" });
  const json = exitCode === 0 || args[0] === "doctor" ? JSON.parse(stdout.toString()) : null;
  return { exitCode, json, error: exitCode === 0 ? null : stderr.toString() };
}

/** The row of a check. */
const row = (name: string) => run("doctor").json.checks.find((check: Json) => check["name"] === name) as Json;

test.each(["start.lock", "daemon.log"])(
  "a %s that is closed is named, by what fails and by doctor",
  (name) => {
    writeFileSync(at("d", name), "", { mode: 0o400 });
    if (isRoot) chownSync(at("d", name), uid, uid);
    const { exitCode, error } = run("up");
    expect(exitCode).toBe(codes.denied.exit);
    expect(JSON.parse(error!).error).toMatchObject({ hint: `chmod 600 ${at("d", name)}` });
    expect(row("home")).toMatchObject({
      status: "fail",
      recovery: `chmod 600 ${at("d", name)}`,
      fixable: true,
    });
  },
);

test.skipIf(!isRoot).each(["start.lock", "daemon.log"])("a %s of root is named too", (name) => {
  writeFileSync(at("d", name), "", { mode: 0o600 });
  const hint = `sudo chown -R ${uid} ${at("d", name)}`;
  expect(JSON.parse(run("up").error!).error).toMatchObject({ code: "denied", hint });
  expect(row("home")).toMatchObject({ status: "fail", recovery: hint });
});

test.skipIf(!isRoot)("a registry, a configuration and a folder of Codex of root are named too", () => {
  for (const [name, check] of [
    ["d/registry.db", "registry"],
    ["d/config.toml", "config"],
    ["codex/thread-writer-locks", "auth"],
  ] as const) {
    if (check === "auth") mkdirSync(at(name), { mode: 0o700 });
    else writeFileSync(at(name), "x", { mode: 0o600 });
    expect(row(check)).toMatchObject({ status: "fail", recovery: `sudo chown -R ${uid} ${at(name)}` });
  }
});

test.each([
  ["codex", 0o500],
  ["codex", 0o000],
  ["codex/sessions", 0o500],
])("the closed folder %s (mode %o) is a failure that names CODEX_HOME", (name, mode) => {
  chmodSync(at(name), mode);
  expect(row("auth")).toMatchObject({
    status: "fail",
    summary: expect.stringContaining(`CODEX_HOME is ${at("codex")}`),
    recovery: `chmod u+rwX ${at(name)}`,
  });
});

test("a repository whose .git or configuration is closed limits threads as before, or is an error; so is a closed folder", () => {
  for (const name of ["r", "r/.git", "r/.dispatch", "r/sub"]) mkdirSync(at(name));
  writeFileSync(at("r/.git/HEAD"), "x");
  writeFileSync(at("r/.dispatch/config.toml"), '[defaults]\nsandbox = "read-only"\n');
  if (isRoot)
    for (const name of ["r", "r/.git", "r/.git/HEAD", "r/.dispatch", "r/.dispatch/config.toml", "r/sub"])
      chownSync(at(name), uid, uid);
  const planned = () => run("new", "--name", "n", "--dry-run", "--cwd", at("r/sub"));
  const isLimited = () =>
    expect(planned().json.choices).toContainEqual(
      expect.objectContaining({ field: "sandbox", value: "read-only", source: "repository defaults" }),
    );
  isLimited();
  chmodSync(at("r/.git"), 0);
  isLimited();
  chmodSync(at("r/.dispatch"), 0);
  expect(planned()).toMatchObject({ exitCode: 2, error: expect.stringContaining("r/.dispatch/config.toml") });
  chmodSync(at("r/.dispatch"), 0o700);
  chmodSync(at("r/sub"), 0);
  expect(planned()).toMatchObject({ exitCode: 2, error: expect.stringContaining("may not be entered") });
  for (const name of ["r/.git", "r/sub"]) chmodSync(at(name), 0o700);
});

test("the daemon starts under a HOME that cannot be looked into: there is no service", () => {
  chmodSync(at("home"), 0o000);
  expect(run("up").json).toMatchObject({ status: "started" });
  expect(row("service")).toMatchObject({ status: "fail", recovery: `chmod u+rwX ${at("home")}` });
});
