import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { limits } from "../../../src/base/limits.ts";
import { index, quickReads } from "../../../src/ops/index.ts";
import { agreeable, type Behaviour, type FakeDaemon, fakeDaemon } from "../support/daemon.ts";
import { main, newHome, onTerminal, run, socketIn } from "../support/run.ts";

const home = newHome();
let behave: Behaviour = agreeable;
let daemon: FakeDaemon;
beforeAll(() => {
  daemon = fakeDaemon(socketIn(home), (call, reply) => behave(call, reply));
});
afterAll(() => daemon.stop());

/** What was asked meanwhile. */
async function asking(args: readonly string[], behaviour: Behaviour = agreeable, at = home) {
  const before = daemon.calls.length;
  behave = behaviour;
  const outcome = await run(at, args);
  behave = agreeable;
  return { ...outcome, calls: daemon.calls.slice(before) };
}

test("a read of plain words answers, byte for byte, what the long way does", async () => {
  for (const args of [["list"], ["list", "--json"], ["get", "@docs"], ["goal", "status", "@docs"]]) {
    const short = await asking(args);
    // A flag that changes nothing here, and that the short way does not know.
    const long = await asking([...args, "--quiet"]);
    expect([short.code, short.stderr, short.stdout]).toEqual([0, "", long.stdout]);
    expect(short.calls.map(({ id: _, as: __, ...call }) => call)).toEqual(
      long.calls.map(({ id: _, as: __, ...call }) => call),
    );
    expect(short.calls).toHaveLength(1);
  }
});

test("hello and the call leave in one write", async () => {
  const before = daemon.chunks.length;
  await asking(["get", "@docs"]);
  expect(daemon.chunks.slice(before)).toHaveLength(1);
});

test("an answer that takes long is waited for, and the call is made once", async () => {
  const slow: Behaviour = (call, reply) =>
    void setTimeout(() => agreeable(call, reply), limits.client.quickHelloMs + 200);
  const { code, calls } = await asking(["list"], slow);
  expect([code, calls.length]).toEqual([0, 1]);
});

test("the first answer counts, whatever comes in the same write", async () => {
  const { code, stdout } = await asking(["list"], (call, reply) => {
    agreeable(call, reply);
    reply.error({ code: "overloaded", message: "too late" });
  });
  expect([code, Object.keys(JSON.parse(stdout))]).toEqual([0, ["threads"]]);
});

test("nothing is printed of a daemon in a directory that others can reach", async () => {
  chmodSync(home, 0o755);
  const { code, stdout, stderr } = await asking(["list"]);
  chmodSync(home, 0o700);
  expect([code, stdout]).toEqual([17, ""]);
  expect(JSON.parse(stderr).error.message).toContain("other users can reach");
});

const mayBecomeAnother = process.getuid?.() === 0 && Bun.which("python3") !== null;
test.skipIf(!mayBecomeAnother)("nothing is printed of another user's daemon", async () => {
  const at = newHome();
  const answers = [{ hello: { version: "1.0.0", protocol: 1, pid: 1 } }, { id: 1, result: { threads: [] } }];
  const program = `import socket,os,sys
s=socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.setuid(65534); s.listen(); print("up",flush=True)
while True:
  c,_=s.accept()
  try: c.sendall(sys.argv[2].encode())
  except OSError: pass # the client has closed already`;
  const text = answers.map((frame) => `${JSON.stringify(frame)}\n`).join("");
  const other = Bun.spawn(["python3", "-c", program, socketIn(at), text], { stdout: "pipe" });
  await other.stdout.getReader().read();
  const { code, stdout, stderr } = await run(at, ["list"]);
  other.kill("SIGKILL");
  expect([code, stdout]).toEqual([17, ""]);
  expect(JSON.parse(stderr).error.message).toContain("65534");
});

test("an error is told in the words of the long way, and what led to it is not done twice", async () => {
  const refusing: Behaviour = (_, reply) => reply.error({ code: "not_found", message: "no such thread" });
  const { code, stdout, stderr, calls } = await asking(["get", "@none"], refusing);
  expect([code, stdout, calls.length]).toEqual([4, "", 1]);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: "not_found", message: "no such thread" } });
});

test("rows on the way to the result are not taken for it", async () => {
  const telling: Behaviour = (call, reply) => {
    reply.row({ searching: 1 });
    agreeable(call, reply);
  };
  const { code, stdout, calls } = await asking(["list"], telling);
  expect([code, calls.length, Object.keys(JSON.parse(stdout))]).toEqual([0, 1, ["threads"]]);
});

test("a daemon that knows of no text is understood, and not asked twice", async () => {
  const { code, stdout, calls } = await asking(["get", "@docs"], (_, reply) =>
    reply.frame({ ref: "abc123" }),
  );
  expect([code, stdout, calls.length]).toEqual([0, '{\n  "ref": "abc123"\n}\n', 1]);
});

test("an answer larger than one read of the socket arrives whole", async () => {
  const threads = Array.from({ length: 20_000 }, (_, n) => ({ ref: `r${n}`, title: "\u00fc".repeat(20) }));
  const { code, stdout, calls } = await asking(["list"], (_, reply) => reply.result({ threads }));
  expect([code, calls.length]).toEqual([0, 1]);
  expect(JSON.parse(stdout)).toEqual({ threads });
});

test("a daemon that dies under the first call answers the second", async () => {
  let calls = 0;
  const dying: Behaviour = (call, reply) => (++calls === 1 ? reply.hangUp() : agreeable(call, reply));
  const { code, stdout } = await asking(["list"], dying);
  expect([code, calls]).toEqual([0, 2]);
  expect(JSON.parse(stdout)).toHaveProperty("threads");
});

test("a daemon that says nothing for a while is let go of and asked anew", async () => {
  const at = newHome();
  const openWhenAsked: number[] = [];
  let open = 0;
  const frames = [{ hello: { version: "1.0.0", protocol: 1, pid: 1 } }, { id: 1, result: { threads: [] } }];
  const server = Bun.listen({
    unix: socketIn(at),
    socket: {
      open: () => void open++,
      close: () => void open--,
      data(socket) {
        openWhenAsked.push(open);
        if (openWhenAsked.length > 1)
          socket.write(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(""));
      },
    },
  });
  const { code } = await run(at, ["list"]);
  server.stop(true);
  expect([code, openWhenAsked]).toEqual([0, [1, 1]]);
});

test("with too many words, too few, or a flag, it is not taken for one", async () => {
  for (const args of [["get"], ["get", "a", "b"], ["list", "x"], ["list", "--json", "--json"]]) {
    const { code, calls } = await asking(args);
    expect([code, calls]).toEqual([2, []]);
  }
});

test("where no daemon listens, the long way says so", async () => {
  const { code, stderr } = await run(newHome(), ["list"]);
  expect([code, JSON.parse(stderr).error.code]).toEqual([10, "daemon_down"]);
});

test("a daemon of another schema is asked anew, by who knows what to do about it", async () => {
  const stale: Behaviour = (_, reply) => reply.error({ code: "stale", message: "it disagrees" });
  const { code, calls } = await asking(["list"], stale);
  expect([code, calls.length]).toEqual([18, 2]);
});

test("a terminal gets the human view of the one answer", async () => {
  const before = daemon.calls.length;
  const shown = onTerminal(home, ["list"]);
  expect(await shown.code).toBe(0);
  expect(shown.shown()).toContain("abc123\u001b[0m  docs\r\n");
  expect(daemon.calls.length - before).toBe(1);
});

test("without a standard output it fails as the long way does", async () => {
  const closed = (...args: string[]) =>
    Bun.spawn(["sh", "-c", 'exec "$0" "$@" >&-', process.execPath, main, ...args], {
      env: { PATH: process.env["PATH"] ?? "", DISPATCH_HOME: home, DISPATCH_NO_START: "1" },
      stderr: "ignore",
    }).exited;
  expect(await closed("list")).toBe(await closed("list", "--quiet"));
});

test("what is called without its op only reads, and has one word for each of its fields", () => {
  for (const { name } of quickReads) expect(index.find((row) => row.name === name)?.intent).toBe("read");
  const fields = Object.fromEntries(quickReads.map(({ cli, args }) => [cli, args]));
  expect(fields).toMatchObject({ list: [], get: ["thread"], "receipt get": ["id"], tail: ["thread"] });
  expect(Object.keys(fields)).not.toContain("wait");
});

test("the entry of the program holds these rows and not the index of all ops", async () => {
  const map = await Bun.file(join(import.meta.dir, "../../../dist/maps/dispatch.map")).json();
  const text = (map.sourcesContent as string[]).join("\n");
  expect(text).toContain('name: "thread.list"');
  expect(text).not.toContain('import("./thread/list.ts")');
  expect(text).not.toContain('name: "thread.archive"');
});

test("a text over the limit of a frame is refused as soon as it is announced", async () => {
  const { code, stderr } = await asking(["list"], (_, reply) =>
    reply.announce(limits.socket.frameBytesMax + 1),
  );
  expect([code, JSON.parse(stderr).error.code]).toEqual([15, "too_large"]);
});
