import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnDetached } from "../../src/base/detach.ts";
import { DispatchError } from "../../src/base/error.ts";

const scratch = () => mkdtempSync(join(tmpdir(), "detach-"));

async function until<T>(ask: () => T | undefined | null | false, what: string, ms = 5000): Promise<T> {
  const end = performance.now() + ms;
  for (;;) {
    const answer = ask();
    if (answer || answer === 0) return answer;
    if (performance.now() > end) throw new Error(`not seen in ${ms} ms: ${what}`);
    await Bun.sleep(5);
  }
}

test("a detached process leads its own session, stands in / and appends its output to the log", async () => {
  const logPath = join(scratch(), "daemon.log");
  const started = spawnDetached(["sh", "-c", 'ps -o sid= -p $$; pwd; echo "$MARK" >&2; exit 7'], {
    logPath,
    env: { PATH: process.env["PATH"], MARK: "of the caller's environment" },
  });
  const code = await until(() => started.exited(), "its exit");
  expect(code).toBe(7);
  const [sid, cwd, mark] = readFileSync(logPath, "utf8").trim().split("\n");
  expect(Number(sid)).toBe(started.pid);
  expect(cwd).toBe("/");
  expect(mark).toBe("of the caller's environment");
  expect(statSync(logPath).mode & 0o777).toBe(0o600);
});

test("it outlives the process that started it, even a starter that is killed", async () => {
  const dir = scratch();
  const source = new URL("../../src/base/detach.ts", import.meta.url).pathname;
  const code = `
    const { spawnDetached } = await import(${JSON.stringify(source)});
    const it = spawnDetached(["sleep", "60"], { logPath: ${JSON.stringify(join(dir, "log"))}, env: process.env });
    console.log(it.pid);
    await Bun.stdin.text();`;
  const starter = Bun.spawn([process.execPath, "-e", code], { stdin: "pipe", stdout: "pipe" });
  const pid = Number(new TextDecoder().decode((await starter.stdout.getReader().read()).value));
  starter.kill("SIGKILL");
  await starter.exited;
  expect(() => process.kill(pid, 0)).not.toThrow();
  process.kill(pid, "SIGKILL");
});

test("a starter with nothing else to do is not kept alive by it", async () => {
  const dir = scratch();
  const source = new URL("../../src/base/detach.ts", import.meta.url).pathname;
  const code = `
    const { spawnDetached } = await import(${JSON.stringify(source)});
    console.log(spawnDetached(["sleep", "60"], { logPath: ${JSON.stringify(join(dir, "log"))}, env: process.env }).pid);`;
  const starter = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe" });
  const pid = Number(await starter.stdout.text());
  expect(await starter.exited).toBe(0);
  process.kill(pid, "SIGKILL");
});

test("an executable that is not there is daemon_down, naming it", () => {
  const start = () => spawnDetached(["/no/such/dispatchd"], { logPath: join(scratch(), "log"), env: {} });
  expect(start).toThrow(DispatchError);
  expect(start).toThrow("/no/such/dispatchd");
});
