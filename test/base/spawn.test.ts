import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { groupMembers } from "../../src/base/identity.ts";
import { type Child, endGroup, run, spawnGroup } from "../../src/base/spawn.ts";

const env = { PATH: process.env["PATH"] };
const started: Child[] = [];
function start(script: string): Child {
  const child = spawnGroup(["/bin/sh", "-c", script], { env, cwd: "/" });
  started.push(child);
  return child;
}
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.signal("SIGKILL");
    await child.exited;
  }
});

async function firstLine(child: Child): Promise<string> {
  const { value } = await child.stdout.getReader().read();
  return new TextDecoder().decode(value).trim();
}

describe("spawnGroup", () => {
  test("a child leads a group of its own, with the environment it is given and no other", async () => {
    const child = start("echo $PPID-$HOME-$(ps -o pgid= -p $$ | tr -d ' ')");
    expect(await firstLine(child)).toBe(`${process.pid}--${child.pid}`);
  });

  test("writing to a child that is gone is no error", async () => {
    const child = start("exit 3");
    expect(await child.exited).toEqual({ code: 3, signal: null });
    child.write("hello\n");
    child.endInput();
    child.signal("SIGKILL");
  });

  test("a missing program is refused with its name", () => {
    expect(() => spawnGroup(["/no/such/program"], { env, cwd: "/" })).toThrow("/no/such/program");
  });
});

test.each([
  ["#!/no/such/interpreter\n", "needs an interpreter or a loader that is not installed"],
  ["\x7fELFgarbage", "is not a program for this system"],
])("a program of %p that is there and does not start says why", (content, why) => {
  const folder = mkdtempSync(join(tmpdir(), "spawn-"));
  const program = join(folder, "program");
  try {
    writeFileSync(program, content, { mode: 0o755 });
    expect(() => spawnGroup([program], { env, cwd: "/" })).toThrow(`cannot start ${program}: it ${why}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe("endGroup", () => {
  const ladder = { graceMs: 100, termGraceMs: 100 };

  test("a child that leaves when its input ends gets no signal", async () => {
    const child = start("trap 'exit 9' TERM; cat >/dev/null; exit 4");
    child.endInput();
    expect(await endGroup(child, systemClock, { graceMs: 5000, termGraceMs: 100 })).toEqual({
      code: 4,
      signal: null,
    });
  });

  test("one that stays gets TERM", async () => {
    const child = start("trap 'exit 9' TERM; echo ready; while :; do sleep 0.02; done");
    await firstLine(child);
    expect(await endGroup(child, systemClock, ladder)).toEqual({ code: 9, signal: null });
  });

  test("one that ignores TERM gets KILL, and its whole group with it", async () => {
    const child = start("trap '' TERM; sleep 60 & echo ready; while :; do sleep 0.02; done");
    await firstLine(child);
    expect(groupMembers(child.group).length).toBeGreaterThanOrEqual(2);
    expect(await endGroup(child, systemClock, ladder)).toEqual({ code: null, signal: "SIGKILL" });
    const end = Date.now() + 2000;
    while (groupMembers(child.group).length > 0 && Date.now() < end) await Bun.sleep(5);
    expect(groupMembers(child.group)).toEqual([]);
  });
});

describe("run", () => {
  test("gives output, status and what was on stdin", async () => {
    const options = { timeoutMs: 5000, bytesMax: 1000, env, stdin: "in" };
    const done = await run(["/bin/sh", "-c", "cat; echo err >&2; exit 3"], options);
    expect(done).toEqual({
      code: 3,
      signal: null,
      stdout: "in",
      stderr: "err\n",
      timedOut: false,
      truncated: false,
    });
  });

  test("output over the limit is dropped, and said to be", async () => {
    const done = await run(["/bin/sh", "-c", "yes | head -c 100000"], { timeoutMs: 5000, bytesMax: 10, env });
    expect(done).toMatchObject({ code: 0, stdout: "y\ny\ny\ny\ny\n", truncated: true });
  });

  test("a command that takes too long is killed with what it started", async () => {
    const from = performance.now();
    const done = await run(["/bin/sh", "-c", "sleep 60 & sleep 60"], { timeoutMs: 100, bytesMax: 10, env });
    expect(done).toMatchObject({ signal: "SIGKILL", timedOut: true });
    expect(performance.now() - from).toBeLessThan(5000);
  });

  test("what a command left behind with its pipe open is not waited for", async () => {
    const script = "sleep 5 & exit 0";
    const from = performance.now();
    const done = await run(["/bin/sh", "-c", script], { timeoutMs: 4000, bytesMax: 100, env });
    expect(done).toMatchObject({ code: 0, timedOut: false });
    expect(performance.now() - from).toBeLessThan(3000);
  });
});
