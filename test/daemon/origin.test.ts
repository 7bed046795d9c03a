/** Who is at the other end: by a table of processes for each shape, and by the real kernel for the ones that it can show. */
import { describe, expect, test } from "bun:test";
import { DispatchError } from "../../src/base/error.ts";
import { type Confinement, type Processes, systemProcesses } from "../../src/base/process.ts";
import { callerFrom, originOf, withReason } from "../../src/daemon/origin.ts";
import { until } from "./rig.ts";

const free: Confinement = { user: "user:[1]", mount: "mnt:[1]", isNoNewPrivs: false, isFiltered: false };
const daemon = 10;

interface Row {
  parent: number;
  environment?: Record<string, string> | null;
  confinement?: Partial<Confinement> | null;
}

/** Process 1 is the first of all, 10 the daemon, 20 its Codex. */
function table(rows: Record<number, Row>): Processes {
  const all: Record<number, Row> = {
    1: { parent: 0, environment: null },
    10: { parent: 1 },
    20: { parent: 10 },
    ...rows,
  };
  return {
    parentOf: (pid) => all[pid]?.parent,
    environmentOf(pid) {
      const environment = all[pid]?.environment;
      if (environment === null || all[pid] === undefined) return undefined;
      const pairs = Object.entries({ PATH: "/bin", ...environment });
      return Buffer.from(pairs.map(([name, value]) => `${name}=${value}\0`).join(""));
    },
    confinementOf(pid) {
      const confinement = all[pid]?.confinement;
      return confinement === null || all[pid] === undefined ? undefined : { ...free, ...confinement };
    },
  };
}

const origin = (pid: number, rows: Record<number, Row>) => originOf(pid, table(rows), daemon);
const shell = { CODEX_THREAD_ID: "thread-a" };

describe("a person", () => {
  test("calls from a terminal, from tmux, over ssh: whatever the parents are, none is Codex", () => {
    const sshd = {
      30: { parent: 1, environment: null },
      31: { parent: 30, environment: null },
      32: { parent: 31 },
    };
    expect(origin(40, { ...sshd, 40: { parent: 32 } })).toEqual({ kind: "person" });
    expect(origin(40, { 30: { parent: 1 }, 40: { parent: 30 } })).toEqual({ kind: "person" });
  });

  test("is as free as the daemon, though both run in a container", () => {
    const inside = { user: "user:[7]", mount: "mnt:[7]", isNoNewPrivs: true, isFiltered: true };
    const rows = { 10: { parent: 1, confinement: inside }, 40: { parent: 1, confinement: inside } };
    expect(origin(40, rows)).toEqual({ kind: "person" });
  });

  test("is one who has more than the daemon, as with a daemon that a hardened service runs", () => {
    const rows = {
      10: { parent: 1, confinement: { isNoNewPrivs: true, isFiltered: true } },
      40: { parent: 1 },
    };
    expect(origin(40, rows)).toEqual({ kind: "person" });
  });

  test("may have a variable whose name only ends alike", () => {
    const rows = { 40: { parent: 1, environment: { MY_CODEX_THREAD_ID: "x", NOTE: "CODEX_THREAD_ID=x" } } };
    expect(origin(40, rows)).toEqual({ kind: "person" });
  });
});

test("a program of the user's that the daemon runs is a person's, and a Codex that it starts is an agent", () => {
  const rows = { 50: { parent: 10 }, 51: { parent: 50 }, 52: { parent: 51, environment: shell } };
  const from = (pid: number) => originOf(pid, table(rows), daemon, (one) => one === 50).kind;
  expect([50, 51, 52].map(from)).toEqual(["person", "person", "agent"]);
  expect(originOf(51, table(rows), daemon, () => false).kind).toBe("agent");
});

describe("an agent", () => {
  const agents: [what: string, pid: number, rows: Record<number, Row>, thread: string | null][] = [
    [
      "a shell of our Codex",
      31,
      { 30: { parent: 20, environment: shell }, 31: { parent: 30, environment: shell } },
      "thread-a",
    ],
    [
      "one that dropped the variable",
      31,
      { 30: { parent: 20, environment: shell }, 31: { parent: 30 } },
      "thread-a",
    ],
    [
      "one that says it is another thread",
      32,
      {
        30: { parent: 20, environment: shell },
        31: { parent: 30, environment: { CODEX_THREAD_ID: "thread-b" } },
        32: { parent: 31, environment: { CODEX_THREAD_ID: "thread-b" } },
      },
      "thread-a",
    ],
    [
      "one that replaced its shell, and names a thread itself",
      30,
      { 30: { parent: 20, environment: { CODEX_THREAD_ID: "thread-b" } } },
      null,
    ],
    ["one that detached itself and was adopted", 30, { 30: { parent: daemon } }, null],
    ["an MCP server that Codex started", 30, { 30: { parent: 20 } }, null],
    [
      "a shell of the user's own Codex",
      31,
      { 30: { parent: 1, environment: shell }, 31: { parent: 30, environment: shell } },
      "thread-a",
    ],
    [
      "the same without the variable",
      31,
      { 30: { parent: 1, environment: shell }, 31: { parent: 30 } },
      "thread-a",
    ],
    [
      "the same behind sudo, which may not be looked at",
      32,
      { 30: { parent: 1, environment: shell }, 31: { parent: 30, environment: null }, 32: { parent: 31 } },
      "thread-a",
    ],
    [
      "a process with an empty thread id",
      30,
      { 30: { parent: 1, environment: { CODEX_THREAD_ID: "" } } },
      null,
    ],
    [
      "a process that Codex marks as sandboxed",
      30,
      { 30: { parent: 1, environment: { CODEX_SANDBOX: "seatbelt" } } },
      null,
    ],
  ];
  for (const [what, pid, rows, thread] of agents) {
    test(`is ${what}`, () => {
      expect(origin(pid, rows)).toEqual({ kind: "agent", thread, why: expect.any(String) });
    });
  }

  const person = { kind: "person" } as const;

  test("stays one whatever it says: a claim names the thread only where no parent does", () => {
    const claim = { kind: "cli", thread_id: null, cwd: "/" } as const;
    const known = { kind: "agent", thread: "thread-a", why: "" } as const;
    const unknown = { kind: "agent", thread: null, why: "" } as const;
    expect(callerFrom(() => known, claim).thread_id).toBe("thread-a");
    expect(callerFrom(() => known, { ...claim, thread_id: "thread-b" }).thread_id).toBe("thread-a");
    expect(callerFrom(() => unknown, { ...claim, thread_id: "thread-b" }).thread_id).toBe("thread-b");
    expect(callerFrom(() => unknown, claim).thread_id).toBe("unknown");
    expect(callerFrom(() => person, claim).thread_id).toBeNull();
    // An MCP server that another Codex started.
    expect(callerFrom(() => person, { ...claim, thread_id: "thread-b" }).thread_id).toBe("thread-b");
    // Who answers at a host of their own is a person, whichever thread made the host ask.
    const answer = { ...claim, kind: "person", thread_id: "thread-b" } as const;
    expect(callerFrom(() => person, answer).thread_id).toBeNull();
    expect(callerFrom(() => unknown, answer).thread_id).toBe("thread-b");
  });

  test("of another machine stays one, whatever it claims besides, and its directory is the home here", () => {
    const claim = { kind: "cli", thread_id: "laptop/thread-b", cwd: "" } as const;
    expect(callerFrom(() => person, claim)).toEqual({ ...claim, cwd: process.env["HOME"] ?? "/" });
    expect(callerFrom(() => person, { ...claim, kind: "person" }).thread_id).toBe("laptop/thread-b");
    const ours = { kind: "agent", thread: "thread-a", why: "" } as const;
    expect(callerFrom(() => ours, claim).thread_id).toBe("thread-a");
  });

  test("learns from a refusal why it is taken for one", () => {
    const error = new DispatchError("denied", "no", { hint: "h", data: { a: 1 } });
    const told = withReason(error, () => ({ kind: "agent", thread: null, why: "because" }));
    expect(told.body).toMatchObject({
      code: "denied",
      message: "no (an agent calls: because)",
      hint: "h",
      data: { a: 1, agent_because: "because" },
    });
    expect(withReason(error, () => person)).toBe(error);
  });
});

test("who calls is looked up when it is asked, and one who is refused by then is denied", () => {
  let looks = 0;
  const gone = () => {
    looks++;
    return { kind: "refused", why: "it ended" } as const;
  };
  const caller = callerFrom(gone, { kind: "cli", thread_id: null, cwd: "/repo" });
  expect(caller.kind).toBe("cli");
  expect(caller.cwd).toBe("/repo");
  expect(looks).toBe(0);
  expect(() => caller.thread_id).toThrow("it ended");
});

describe("nobody is let in", () => {
  const confined: [what: string, confinement: Partial<Confinement> | null][] = [
    ["in another user namespace", { user: "user:[2]" }],
    ["in another mount namespace", { mount: "mnt:[2]" }],
    ["with filtered system calls", { isFiltered: true }],
    ["that may gain no privileges", { isNoNewPrivs: true }],
    ["whose state cannot be read", null],
  ];
  for (const [what, confinement] of confined) {
    test(what, () => {
      const found = origin(40, { 40: { parent: 1, confinement } });
      expect(found).toEqual({ kind: "refused", why: expect.stringContaining("sandboxed") });
      expect((found as { why: string }).why).toContain("MCP tools");
    });
  }

  test("who is gone, or is in a pid namespace that cannot be seen", () => {
    expect(origin(99, {}).kind).toBe("refused");
    expect(origin(0, {}).kind).toBe("refused");
  });
});

describe.skipIf(process.platform !== "linux")("the kernel itself", () => {
  /** The pid of a process that runs until it is killed. */
  async function started(argv: string[], env: Record<string, string> = {}) {
    const child = Bun.spawn(argv, {
      stdin: "pipe",
      stdout: "pipe",
      env: { PATH: process.env["PATH"]!, ...env },
    });
    const { value } = await child.stdout.getReader().read();
    return { pid: Number(Buffer.from(value!).toString().trim()), end: () => child.kill("SIGKILL") };
  }
  const waits = "echo $$; read x";

  test("shows a free process as a person, and its environment as it began", async () => {
    const { pid, end } = await started(["sh", "-c", waits]);
    expect(originOf(pid)).toMatchObject({ kind: "agent" });
    expect(originOf(pid, systemProcesses, -1)).toEqual({ kind: "person" });
    end();
    const marked = await started(["sh", "-c", waits], { CODEX_THREAD_ID: "t-1" });
    expect(originOf(marked.pid, systemProcesses, -1)).toMatchObject({ kind: "agent", thread: "t-1" });
    marked.end();
  });

  test("shows the parent behind a shell that dropped the variable", async () => {
    const inner = `env -u CODEX_THREAD_ID sh -c '${waits}'; true`;
    const { pid, end } = await started(["sh", "-c", inner], { CODEX_THREAD_ID: "t-1" });
    expect(originOf(pid, systemProcesses, -1)).toMatchObject({ kind: "agent", thread: "t-1" });
    process.kill(pid, "SIGKILL");
    end();
  });

  const mayUnshare = Bun.spawnSync(["unshare", "--user", "--map-root-user", "true"]).success;
  test.skipIf(!mayUnshare)("shows another user namespace", async () => {
    const child = Bun.spawn(["unshare", "--user", "--map-root-user", "sh", "-c", waits], {
      stdin: "pipe",
      stdout: "pipe",
    });
    const { pid } = child;
    const isAway = () =>
      systemProcesses.confinementOf(pid)?.user !== systemProcesses.confinementOf(process.pid)!.user;
    await until(isAway, "the process is in its own namespace");
    expect(originOf(pid)).toMatchObject({ kind: "refused" });
    child.kill("SIGKILL");
  });

  test.skipIf(Bun.which("setpriv") === null)("shows that a process may gain no privileges", async () => {
    const { pid, end } = await started(["setpriv", "--no-new-privs", "sh", "-c", waits]);
    expect(originOf(pid)).toMatchObject({ kind: "refused" });
    end();
  });
});
