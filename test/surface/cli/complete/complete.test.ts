/** What a shell calls at each TAB: quick, silent, and never the cause of anything. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fakeDaemon } from "../../support/daemon.ts";
import { newHome, socketIn } from "../../support/run.ts";

const program = resolve(import.meta.dir, "../../../../src/main.ts");

const dispatch = (home: string, ...args: string[]) => dispatchIn(home, home, ...args);

async function dispatchIn(cwd: string, home: string, ...args: string[]) {
  const child = Bun.spawn([process.execPath, program, ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: newHome(), DISPATCH_HOME: home },
    cwd,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { stdout, stderr, code };
}

test("with no daemon there are no threads, no error, and no daemon afterwards either", async () => {
  const home = newHome();
  const nothing = { stdout: "words\n", stderr: "", code: 0 };
  expect(await dispatch(home, "__complete", "zsh", "get", "")).toEqual(nothing);
  expect(await dispatch(home, "__complete", "bash", " ", "dispatch get ")).toEqual(nothing);
  expect(readdirSync(home)).toEqual([]);
});

test("a daemon that refuses, or says nothing, is not waited for", async () => {
  for (const behave of [
    () => {},
    (_: unknown, reply: { error(e: object): void }) => reply.error({ code: "stale" }),
  ]) {
    const home = newHome();
    const daemon = fakeDaemon(socketIn(home), behave);
    const { stderr, code } = await dispatch(home, "__complete", "fish", "get", "");
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    expect(daemon.calls.map(({ op }) => op)).toEqual(["thread.list"]);
    daemon.stop();
  }
});

test("what makes no sense is answered with nothing, and with success", async () => {
  const home = newHome();
  for (const args of [
    [],
    ["bash"],
    ["tcsh", "x"],
    ["zsh"],
    ["zsh", "--home", "/a", "--home", "/b", "get", ""],
  ])
    expect(await dispatch(home, "__complete", ...args)).toMatchObject({ stderr: "", code: 0 });
});

test("--home in the line says whose threads", async () => {
  const home = newHome();
  const daemon = fakeDaemon(socketIn(home), (_, reply) =>
    reply.result({ threads: [{ ref: "bcd234", handle: "docs", title: "The docs" }] }),
  );
  const there = await dispatch(newHome(), "__complete", "zsh", "--home", home, "get", "");
  expect(there.stdout).toBe("words\n@docs\tThe docs\n");
  daemon.stop();
});

test("presets are those of the home's file and of the nearest repository's, without a daemon", async () => {
  const home = newHome();
  const repository = newHome();
  mkdirSync(join(repository, ".git"));
  writeFileSync(join(repository, ".git/HEAD"), "");
  mkdirSync(join(repository, ".dispatch"));
  mkdirSync(join(repository, "deep/down"), { recursive: true });
  writeFileSync(join(home, "config.toml"), '[presets.reviewer]\nsandbox = "read-only"\n');
  writeFileSync(join(repository, ".dispatch/config.toml"), '[presets."re $(touch x)"]\neffort = "low"\n');
  const offered = async (...args: string[]) =>
    (await dispatchIn(join(repository, "deep/down"), home, "__complete", ...args)).stdout
      .split("\n")
      .slice(1, -1);
  expect((await offered("zsh", "new", "--preset", "re")).map((line) => line.split("\t")[0])).toEqual([
    "reviewer",
    "re $(touch x)",
  ]);
  expect(await offered("bash", " =", "dispatch new --preset=re\\ ")).toEqual(["re\\ \\$\\(touch\\ x\\)"]);
  // A file that is broken takes only its own away.
  writeFileSync(join(home, "config.toml"), "[presets\n");
  expect(await offered("fish", "new", "--preset", "r")).toHaveLength(1);
  expect(readdirSync(home)).toEqual(["config.toml"]);
});

test("the script is printed as it is into a pipe, and as JSON when that is asked for", async () => {
  const home = newHome();
  for (const shell of ["bash", "zsh", "fish"]) {
    const { stdout } = await dispatch(home, "completion", shell);
    const script = await Bun.file(resolve(program, `../surface/cli/complete/dispatch.${shell}`)).text();
    expect(stdout).toBe(script);
    expect(JSON.parse((await dispatch(home, "completion", shell, "--json")).stdout)).toEqual({
      shell,
      script,
    });
  }
  expect(await dispatch(home, "completion", "tcsh")).toMatchObject({ code: 2 });
  expect(readdirSync(home)).toEqual([]);
});
