import { afterEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { pathsOf } from "../../src/base/paths.ts";
import { connect } from "../../src/surface/client.ts";
import { localRoute } from "../../src/surface/route.ts";
import { openSession } from "../../src/surface/session.ts";
import type { Connection, Row } from "../../src/surface/wire.ts";
import { type Behaviour, type FakeDaemon, fakeDaemon } from "./support/daemon.ts";
import { newHome, socketIn, until } from "./support/run.ts";

const caller = { kind: "cli", thread_id: null, cwd: "/" } as const;
const frame = { op: "thread.list", schema: "h", input: {}, caller };
const to = { name: "thread.list", hash: "h", start: "never", intent: "write" } as const;
const read = { ...to, intent: "read" } as const;
const opened: { stop(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.stop();
});

async function rig(behave: Behaviour): Promise<{ daemon: FakeDaemon; connection: Connection }> {
  const path = socketIn(newHome());
  const daemon = fakeDaemon(path, behave);
  opened.push(daemon);
  const connection = await connect(path);
  if (!connection) throw new Error("nobody listens");
  return { daemon, connection };
}

function session(behave: Behaviour) {
  const home = newHome();
  const daemon = fakeDaemon(socketIn(home), behave);
  opened.push(daemon);
  return {
    daemon,
    session: openSession(
      localRoute({
        paths: pathsOf({}, home),
        daemonArgv: [],
        daemonVariables: async () => [],
        isStartForbidden: true,
      }),
    ),
  };
}

async function errorOf(work: Promise<unknown>): Promise<DispatchError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof DispatchError) return thrown;
  throw new Error(`no DispatchError but ${String(thrown)}`);
}

test("nobody listening is no error but an absence: no file, a stale socket, a file of another kind", async () => {
  const home = newHome();
  expect(await connect(join(home, "none"))).toBeUndefined();
  await Bun.write(join(home, "file"), "");
  expect(await connect(join(home, "file"))).toBeUndefined();
});

test("a daemon that ends while it is connected to is absent or lost, and no call waits for its answer", async () => {
  const path = socketIn(newHome());
  const server = Bun.listen({
    unix: path,
    socket: { open: (socket) => void socket.terminate(), data() {} },
  });
  opened.push(server);
  for (let i = 0; i < 50; i++) {
    const connection = await connect(path);
    if (connection) expect(await connection.call(frame)).toEqual({ lost: true });
  }
});

test("a daemon that refuses the connection and closes it is no absence: its reason is the answer", async () => {
  const error = { code: "overloaded", message: "full", hint: null, retry: "later", data: null } as const;
  for (const how of ["end", "terminate"] as const) {
    const path = socketIn(newHome());
    const open = (socket: Bun.Socket) => {
      socket.write(`${JSON.stringify({ id: null, error })}\n`);
      socket[how]();
    };
    opened.push(Bun.listen({ unix: path, socket: { open, data() {} } }));
    for (let i = 0; i < 50; i++) {
      const connection = await connect(path);
      const answer = (await connection?.call(frame)) ?? {};
      expect("unread" in answer ? answer.unread : answer).toEqual("unread" in answer ? error : { error });
    }
  }
});

test("a socket path that the kernel would refuse is named before", async () => {
  expect((await errorOf(connect(`/${"x".repeat(120)}`))).message).toContain("longer than 103 bytes");
});

test("hello and the first call travel in one write, and hello is said once", async () => {
  const { daemon, connection } = await rig((_, reply) => reply.result({ ok: 1 }));
  expect(await connection.call(frame)).toEqual({ result: { ok: 1 } });
  expect(daemon.chunks).toHaveLength(1);
  const [hello, call] = daemon.chunks[0]!.trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
  expect(hello).toMatchObject({ hello: { protocol: 1 } });
  expect(call).toEqual({ id: 1, ...frame });
  await connection.call(frame);
  expect(daemon.chunks[1]).not.toContain("hello");
});

test("answers find their calls in whatever order they come", async () => {
  const late: (() => void)[] = [];
  const { connection } = await rig((call, reply) => late.push(() => reply.result({ id: call.id })));
  const calls = [connection.call(frame), connection.call(frame), connection.call(frame)];
  await until("three calls", () => late.length === 3);
  for (const answer of late.reverse()) answer();
  expect(await Promise.all(calls)).toEqual([
    { result: { id: 1 } },
    { result: { id: 2 } },
    { result: { id: 3 } },
  ]);
});

test("an error frame is an answer, and one for no call answers all of them", async () => {
  const { connection } = await rig((_, reply) => reply.error({ code: "thread_busy", message: "busy" }));
  expect(await connection.call(frame)).toMatchObject({ error: { code: "thread_busy" } });
});

test("rows come one at a time, in order, and before the result", async () => {
  const { connection } = await rig((_, reply) => {
    for (let n = 0; n < 100; n++) reply.row({ n });
    reply.result({ done: true });
  });
  const seen: unknown[] = [];
  let inside = 0;
  const answer = await connection.call(frame, {
    async row(row) {
      inside += 1;
      expect(inside).toBe(1);
      await Bun.sleep(0);
      seen.push(row["n"]);
      inside -= 1;
    },
  });
  expect(answer).toEqual({ result: { done: true } });
  expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => n));
});

test("a reader that takes its time holds the daemon back instead of filling memory", async () => {
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const text = "x".repeat(64 * 1024);
  const { daemon, connection } = await rig((_, reply) => {
    for (let n = 0; n < 200; n++) reply.row({ text, n });
    reply.result({});
  });
  let taken = 0;
  const call = connection.call(frame, {
    row() {
      taken += 1;
      return taken === 1 ? gate : undefined;
    },
  });
  await until("the first row", () => taken === 1);
  // Every chance to read on, if it would.
  for (let turn = 0; turn < 50; turn++) await Bun.sleep(1);
  expect(taken).toBe(1);
  expect(daemon.unsentBytes()).toBeGreaterThan(8 * 1024 * 1024);
  open();
  expect(await call).toEqual({ result: {} });
  expect(taken).toBe(200);
});

test("characters that a chunk's edge cuts arrive whole, in both directions", async () => {
  const text = "ä🚀".repeat(300_000);
  const { daemon, connection } = await rig((call, reply) => reply.result({ echoed: call.input["text"] }));
  const answer = await connection.call({ ...frame, input: { text } });
  expect(daemon.chunks.length).toBeGreaterThan(1);
  expect(answer).toEqual({ result: { echoed: text } });
});

test("abort sends a cancel, and the call ends with what the daemon says", async () => {
  const { daemon, connection } = await rig(() => {});
  const stop = new AbortController();
  const call = connection.call(frame, { signal: stop.signal });
  await until("the call", () => daemon.calls.length === 1);
  stop.abort();
  expect(await call).toMatchObject({ error: { message: "cancelled" } });
  expect(daemon.cancelled).toEqual([1]);
});

test("a connection lost under a call is told apart from an answer", async () => {
  const { connection } = await rig((_, reply) => reply.hangUp());
  expect(await connection.call(frame)).toEqual({ lost: true });
  expect(connection.isOpen()).toBe(false);
  expect(await connection.call(frame)).toEqual({ lost: true });
});

test("an answer over the frame limit is refused, and no call hangs", async () => {
  const { connection } = await rig((_, reply) => reply.result({ text: "x".repeat(9 * 1024 * 1024) }));
  expect((await errorOf(connection.call(frame))).code).toBe("too_large");
});

test("a call that is safe to repeat survives a daemon that dies twice", async () => {
  let times = 0;
  const { daemon, session: open } = session((_, reply) =>
    ++times < 3 ? reply.hangUp() : reply.result({ times }),
  );
  expect(await open.call(to, {}, { caller, repeat: "keyed" })).toEqual({ times: 3 });
  expect(daemon.calls).toHaveLength(3);
});

test("a call that may not be repeated is sent once and answered unsure", async () => {
  const { daemon, session: open } = session((_, reply) => reply.hangUp());
  expect((await errorOf(open.call(to, {}, { caller, repeat: "no" }))).code).toBe("unsure");
  expect(daemon.calls).toHaveLength(1);
});

test("a daemon that dies of a call is not asked for ever", async () => {
  const { daemon, session: open } = session((_, reply) => reply.hangUp());
  expect((await errorOf(open.call(read, {}, { caller, repeat: "safe" }))).code).toBe("daemon_down");
  expect(daemon.calls).toHaveLength(3);
});

test("a call that crosses the end of its idle connection is sent again, whatever it is", async () => {
  let answered = 0;
  const { daemon, session: open } = session((_, reply) => {
    if (++answered === 2) reply.dismiss();
    else reply.result({ answered });
  });
  const options = { caller, repeat: "no" } as const;
  expect(await open.call(to, {}, options)).toEqual({ answered: 1 });
  expect(await open.call(to, {}, options)).toEqual({ answered: 3 });
  expect(daemon.calls).toHaveLength(2);
});

test("a call that was never read is refused as such, and is not unsure", async () => {
  let isFirst = true;
  const { session: open, daemon } = session((_, reply) => {
    if (isFirst) reply.result({});
    else reply.dismiss();
    isFirst = false;
  });
  await open.call(to, {}, { caller, repeat: "keyed" });
  const error = await errorOf(open.call(to, {}, { caller, repeat: "keyed" }));
  expect(error.body).toMatchObject({ code: "overloaded", retry: "later" });
  expect(daemon.calls).toHaveLength(1);
});

describe("a daemon that takes a call and does not answer", () => {
  /** What each connection in turn meets: silence, an end, or an answer. The last one is met ever after. */
  type Meeting = "silent" | "hang up" | "answer" | "busy" | "conflict";
  const meetings: Record<Exclude<Meeting, "silent">, Behaviour> = {
    "hang up": (_, reply) => reply.hangUp(),
    answer: (_, reply) => reply.result({ receipt: "r" }),
    busy: (_, reply) => reply.error({ code: "thread_busy", message: "busy", retry: "later" }),
    conflict: (_, reply) => reply.error({ code: "conflict", message: "other content" }),
  };
  const input = { thread: "@docs", idempotency_key: "k-1" };

  function rigOf(...order: Meeting[]) {
    const home = newHome();
    let at = 0;
    const calls: Row[] = [];
    const server = Bun.listen<{ text: string }>({
      unix: socketIn(home),
      socket: {
        open: (socket) => {
          socket.data = { text: "" };
        },
        data(socket, chunk) {
          socket.data.text += chunk.toString();
          if (!socket.data.text.endsWith("\n")) return;
          const frames = socket.data.text.trim().split("\n");
          const call = JSON.parse(frames.at(-1)!) as { id: number; input: Row };
          calls.push(call.input);
          const meeting = order[Math.min(at++, order.length - 1)]!;
          if (meeting === "silent") return;
          const write = (frame: unknown) => void socket.write(`${JSON.stringify(frame)}\n`);
          write({ hello: { version: "1", protocol: 1, pid: 1 } });
          meetings[meeting](call as never, {
            row: () => {},
            frame: () => {},
            announce: () => {},
            dismiss: () => {},
            result: (result) => write({ id: call.id, result }),
            error: (error) =>
              write({ id: call.id, error: { hint: null, data: null, retry: "no", ...error } }),
            hangUp: () => void socket.end(),
          });
        },
        error() {},
      },
    });
    opened.push({ stop: () => server.stop(true) });
    const open = openSession(
      localRoute({
        paths: pathsOf({}, home),
        daemonArgv: [],
        daemonVariables: async () => [],
        isStartForbidden: true,
        helloTimeoutMs: 30,
      }),
    );
    return { open, calls };
  }

  const lostIn: Meeting[][] = [["silent"], ["hang up"], ["silent", "hang up"], ["hang up", "silent"]];
  for (const repeat of ["keyed", "safe", "no"] as const) {
    for (const intent of ["write", "destroy"] as const) {
      for (const order of lostIn) {
        test(`${intent}, repeat ${repeat}, ${order.join(" then ")}: unsure, with the key`, async () => {
          const { open, calls } = rigOf(...order);
          const error = await errorOf(open.call({ ...to, intent }, input, { caller, repeat }));
          expect(error.body).toMatchObject({ code: "unsure", retry: "no", data: { idempotency_key: "k-1" } });
          expect(error.hint).toContain("--idempotency-key k-1");
          expect(calls).toHaveLength(repeat === "no" ? 1 : 3);
          expect(calls.every((call) => call["idempotency_key"] === "k-1")).toBe(true);
        });
      }
    }
  }

  test("a read says that the daemon does not answer", async () => {
    const { open, calls } = rigOf("silent");
    expect((await errorOf(open.call(read, {}, { caller, repeat: "safe" }))).code).toBe("daemon_down");
    expect(calls).toHaveLength(1);
  });

  test("a keyed call is made again with its key, and has its answer", async () => {
    const { open, calls } = rigOf("silent", "answer");
    expect(await open.call(to, input, { caller, repeat: "keyed" })).toEqual({ receipt: "r" });
    expect(calls).toEqual([input, input]);
  });

  test("a refusal that may be about the first try's own work does not say that it is undone", async () => {
    const { open } = rigOf("silent", "busy");
    expect((await errorOf(open.call(to, input, { caller, repeat: "keyed" }))).code).toBe("unsure");
  });

  test("a definite refusal of the second try is told as it is", async () => {
    const { open } = rigOf("silent", "conflict");
    expect((await errorOf(open.call(to, input, { caller, repeat: "keyed" }))).code).toBe("conflict");
  });

  test("a daemon that cannot be reached the second time leaves the first try unsure", async () => {
    const rig = session((_, reply) => {
      reply.hangUp();
      rig.daemon.stop();
    });
    const error = await errorOf(rig.session.call(to, input, { caller, repeat: "keyed" }));
    expect(error.body).toMatchObject({ code: "unsure", data: { idempotency_key: "k-1" } });
  });

  test("an answer that cannot be read does not say that a write was refused", async () => {
    const { session: open } = session((_, reply) => reply.result({ text: "x".repeat(9 * 1024 * 1024) }));
    expect((await errorOf(open.call(to, input, { caller, repeat: "keyed" }))).code).toBe("unsure");
    expect((await errorOf(open.call(read, {}, { caller, repeat: "safe" }))).code).toBe("too_large");
  });

  test("a write without a key names what to look at", async () => {
    const { open } = rigOf("silent");
    const error = await errorOf(open.call(to, { thread: "@docs" }, { caller, repeat: "no" }));
    expect(error.body).toMatchObject({ code: "unsure", hint: "dispatch get @docs" });
  });
});

test("a stream that has begun is never begun again", async () => {
  const { daemon, session: open } = session((_, reply) => {
    reply.row({ n: 1 });
    reply.hangUp();
  });
  const rows: Row[] = [];
  const error = await errorOf(
    open.call(read, {}, { caller, repeat: "safe", row: (row) => void rows.push(row), isStream: true }),
  );
  expect(error.code).toBe("daemon_down");
  expect([rows.length, daemon.calls.length]).toEqual([1, 1]);
});

test("a call that only told of its progress is made again", async () => {
  const { daemon, session: open } = session((_, reply) => {
    reply.row({ n: 1 });
    reply.hangUp();
  });
  const error = await errorOf(open.call(read, {}, { caller, repeat: "safe", row: () => {} }));
  expect(error.message).toContain("3 times");
  expect(daemon.calls).toHaveLength(3);
});

test("a kept connection is made anew when the daemon was restarted between calls", async () => {
  const home = newHome();
  const open = openSession(
    localRoute({
      paths: pathsOf({}, home),
      daemonArgv: [],
      daemonVariables: async () => [],
      isStartForbidden: true,
    }),
  );
  for (const round of [1, 2]) {
    const daemon = fakeDaemon(socketIn(home), (_, reply) => reply.result({ round }));
    expect(await open.call(to, {}, { caller, repeat: "no" })).toEqual({ round });
    // stop(true) takes the listener and its connections down, as a daemon's death does.
    daemon.stop();
    await Bun.sleep(10);
  }
});
