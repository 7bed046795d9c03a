import { describe, expect, test } from "bun:test";
import { lstatSync } from "node:fs";
import { systemClock } from "../../src/base/clock.ts";
import { DispatchError } from "../../src/base/error.ts";
import { faultLog } from "../../src/base/faults.ts";
import { limits } from "../../src/base/limits.ts";
import { type Client, caller, connect, type Fields, fakeOp, hello, memoryLog, rig, until } from "./rig.ts";

const echo = fakeOp("test.echo", (input) => ({ ...input }));
const failing = fakeOp("test.fail", () => {
  throw new DispatchError("conflict", "no", { hint: "try something else" });
});

const aborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

test("hello and the first call in one write are both answered", async () => {
  const { path } = rig([echo]);
  const client = await connect(path);
  client.say(
    { hello: { version: "0.0.0", protocol: 1 } },
    {
      id: 1,
      op: "test.echo",
      schema: "hash",
      input: { n: 5 },
      caller: { kind: "mcp", thread_id: "t", cwd: "/" },
    },
  );
  expect(await client.ended(1)).toEqual({ id: 1, result: { n: 5 } });
  expect(client.frames[0]).toEqual({ hello });
});

test("a result asked for as text comes as many bytes as its head says, and the next call after it", async () => {
  const { path } = rig([echo, failing]);
  const { promise, resolve } = Promise.withResolvers<string>();
  let heard = "";
  const caller = { kind: "cli", thread_id: null, cwd: "/" };
  const call = { schema: "hash", input: { text: "\u202e\u00fc" }, caller, as: "text" };
  const socket = await Bun.connect({
    unix: path,
    socket: {
      data(_, chunk) {
        heard += chunk.toString();
        if (heard.includes('"error"')) resolve(heard);
      },
    },
  });
  socket.write(`${JSON.stringify({ id: 1, op: "test.echo", ...call })}\n`);
  socket.write(`${JSON.stringify({ id: 2, op: "test.fail", ...call })}\n`);
  const text = '{\n  "text": "\\u202e\u00fc"\n}\n';
  const all = await promise;
  const head = `${JSON.stringify({ id: 1, bytes: Buffer.byteLength(text) })}\n${text}`;
  expect(all.startsWith(head)).toBe(true);
  expect(JSON.parse(all.slice(head.length))).toMatchObject({ id: 2, error: { code: "conflict" } });
  socket.end();
});

test("an error travels with its code, its hint and its retry", async () => {
  const { path } = rig([failing]);
  const client = await connect(path);
  client.call(4, "test.fail");
  expect((await client.ended(4)).error).toEqual({
    code: "conflict",
    message: "no",
    hint: "try something else",
    retry: "no",
    data: null,
  } as never);
});

const waiting = fakeOp("test.wait", (_input, { signal }) => aborted(signal));

const malformed: [what: string, line: string, id: number | null][] = [
  ["no JSON", "{nonsense", null],
  ["an empty line", "", null],
  ["an array", "[1,2]", null],
  ["a call without an id", '{"op":"test.echo","input":{}}', null],
  ["a fractional id", '{"id":1.5,"op":"test.echo"}', null],
  ["an op that is no string", '{"id":3,"op":9}', 3],
  ["an input that is no object", '{"id":3,"op":"test.echo","input":[]}', 3],
  ["no caller", '{"id":3,"op":"test.echo","input":{}}', 3],
  ["a strange caller", '{"id":3,"op":"test.echo","caller":{"kind":"root","thread_id":null,"cwd":"/"}}', 3],
  [
    "a caller that only the daemon itself can be",
    '{"id":3,"op":"test.echo","caller":{"kind":"tool","thread_id":"t","cwd":"/"}}',
    3,
  ],
  ["a cancel of nothing", '{"cancel":"all"}', null],
  ["half a hello", '{"hello":{}}', null],
];

for (const [what, line, id] of malformed) {
  test(`a malformed frame (${what}) is answered and the connection stays`, async () => {
    const { path } = rig([echo]);
    const client = await connect(path);
    client.raw(`${line}\n`);
    expect((await client.ended(id)).error?.code).toBe("usage");
    client.call(8, "test.echo", { text: "still here" });
    expect((await client.ended(8)).result).toEqual({ text: "still here" });
  });
}

test("bytes that are no UTF-8 are refused, never delivered as other text", async () => {
  const { path } = rig([echo]);
  const client = await connect(path);
  const frame = Buffer.from(
    '{"id":1,"op":"test.echo","schema":"hash","input":{"text":"X"},"caller":{"kind":"cli","thread_id":null,"cwd":"/"}}\n',
  );
  frame[frame.indexOf("X")] = 0xff;
  client.raw(frame);
  expect((await client.ended(1)).error).toMatchObject({ code: "usage" });
  expect((await client.ended(1)).error?.message).toContain("UTF-8");
});

test("a frame that cannot be read is refused under its id, wherever in it the id is", async () => {
  const { path } = rig([echo]);
  const client = await connect(path);
  const rest = '"op":"test.echo","schema":"hash","caller":{"kind":"cli","thread_id":null,"cwd":"/"}';
  const long = "x".repeat(limits.socket.frameBytesMax);
  client.raw(`{"input":{"id":99,"text":"${long}"},${rest},"id":1}\n`);
  client.raw(`{"id":2,"input":{"text":"${long}"},${rest}}\n`);
  client.raw(Buffer.from(`{"input":{"text":"\xff"},${rest},"id":3}\n`, "latin1"));
  client.raw(`{"input":{"text":"a"},"id":5, broken\n`);
  for (const [id, code] of [
    [1, "too_large"],
    [2, "too_large"],
    [3, "usage"],
    [5, "usage"],
  ] as const)
    expect((await client.ended(id)).error?.code).toBe(code);
  client.call(6, "test.echo", { n: 1 });
  expect((await client.ended(6)).result).toEqual({ n: 1 });
});

test("a frame that does not say whose it is ends the calls of its connection, and no other's", async () => {
  const { path } = rig([echo, fakeOp("test.slow", (_input, { signal }) => aborted(signal))]);
  const [client, other] = [await connect(path), await connect(path)];
  client.call(1, "test.slow");
  other.call(1, "test.slow");
  for (const line of ["no JSON", `{"op":"${"x".repeat(limits.socket.frameBytesMax)}"}`]) {
    client.raw(`${line}\n`);
    const refused = await until(() => client.frames.find((one) => one["id"] === null), "the refusal");
    expect((await client.ended(1)).error).toEqual(refused["error"] as never);
    client.frames.splice(0);
    client.call(1, "test.slow");
  }
  expect(other.frames).toEqual([]);
});

test("names and paths in a frame have a maximum, and are text", async () => {
  const { path } = rig([echo]);
  const client = await connect(path);
  const frame = { op: "test.echo", schema: "hash", input: {}, caller };
  const wrong = ["x".repeat(limits.input.wordBytesMax + 1), "half \ud800", "x".repeat(4 * 1024 * 1024)];
  let id = 0;
  for (const value of wrong)
    for (const one of [
      { ...frame, op: value },
      { ...frame, schema: value },
      { ...frame, caller: { ...caller, thread_id: value } },
      { ...frame, caller: { ...caller, cwd: value } },
    ]) {
      id++;
      client.say({ id, ...one });
      const { error } = await client.ended(id);
      expect(error?.code).toBe("usage");
      expect(JSON.stringify(error).length).toBeLessThan(5000);
    }
});

test("what is thrown inside a connection's own code cuts that client, under an id in the log, and no other", async () => {
  const log = faultLog(memoryLog(), systemClock);
  const { path } = rig([echo], {
    log,
    call: () => {
      throw new TypeError("not even a rejection");
    },
  });
  const [client, other] = [await connect(path), await connect(path)];
  client.call(1, "test.echo");
  await client.closed();
  expect(log.faults()).toMatchObject([{ what: "a connection failed", why: "not even a rejection" }]);
  other.say({ hello: { version: "0", protocol: 1 } });
  await until(() => other.frames.length > 0, "the other is answered");
});

test("a frame that is too large is refused while it is read, and the connection survives it", async () => {
  const { path } = rig([echo]);
  const client = await connect(path);
  client.raw(`{"id":1,"op":"test.echo","input":{"text":"`);
  const megabyte = "x".repeat(1024 * 1024);
  for (let n = 0; n < 9; n++) client.raw(megabyte);
  expect((await client.ended(1)).error?.code).toBe("too_large");
  for (let n = 0; n < 4; n++) client.raw(megabyte);
  client.raw('"}}\n');
  client.call(2, "test.echo", { n: 1 });
  expect((await client.ended(2)).result).toEqual({ n: 1 });
  expect(client.frames).toHaveLength(2);
});

test("a large frame in many pieces arrives whole, character for character", async () => {
  const { path } = rig([echo]);
  const client = await connect(path);
  const text = "ä线🙂\n".repeat(300_000);
  client.call(1, "test.echo", { text });
  expect((await client.ended(1)).result?.["text"] === text).toBe(true);
});

test("an id that still runs is refused without ending the call that runs", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = fakeOp("test.slow", async () => {
    await gate.promise;
    return { slow: true };
  });
  const { path } = rig([slow]);
  const client = await connect(path);
  client.call(1, "test.slow");
  client.call(1, "test.slow");
  expect((await client.ended(null)).error).toMatchObject({ code: "usage", data: { id: 1 } });
  gate.resolve();
  expect((await client.ended(1)).result).toEqual({ slow: true });
});

test("calls of one connection run side by side, up to the limit; one more is refused", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = fakeOp("test.slow", async () => {
    await gate.promise;
    return {};
  });
  const { path } = rig([slow]);
  const client = await connect(path);
  for (let id = 0; id <= limits.socket.callsPerConnectionMax; id++) client.call(id, "test.slow");
  expect((await client.ended(limits.socket.callsPerConnectionMax)).error?.code).toBe("overloaded");
  gate.resolve();
  for (let id = 0; id < limits.socket.callsPerConnectionMax; id++)
    expect((await client.ended(id)).result).toEqual({});
});

test("cancel aborts that call and no other", async () => {
  let running = 0;
  const waits = fakeOp("test.wait", (_input, { signal }) => {
    const { promise, resolve } = Promise.withResolvers<Fields>();
    signal.addEventListener("abort", () => resolve({ aborted: true }));
    running++;
    return promise;
  });
  const { path } = rig([waits, echo]);
  const client = await connect(path);
  client.call(1, "test.wait");
  client.call(2, "test.wait");
  await until(() => running === 2, "both run");
  client.say({ cancel: 99 }, { cancel: 2 });
  expect((await client.ended(2)).result).toEqual({ aborted: true });
  client.call(3, "test.echo");
  await client.ended(3);
  expect(client.frames.some((one) => one["id"] === 1)).toBe(false);
});

test("a call cancelled in the same breath never runs", async () => {
  let ran = false;
  const write = fakeOp("test.write", () => {
    ran = true;
    return {};
  });
  const { path } = rig([write]);
  const client = await connect(path);
  const call = {
    id: 1,
    op: "test.write",
    schema: "hash",
    input: {},
    caller: { kind: "cli", thread_id: null, cwd: "/" },
  };
  client.say(call, { cancel: 1 });
  expect((await client.ended(1)).error?.message).toBe("the call was cancelled");
  expect(ran).toBe(false);
});

test("a cancelled op that fails any old way is no bug: the client reads that it was cancelled", async () => {
  let running = false;
  const waits = fakeOp("test.wait", (_input, { signal }) => {
    const { promise, reject } = Promise.withResolvers<Fields>();
    signal.addEventListener("abort", () => reject(new Error("aborted")));
    running = true;
    return promise;
  });
  const { path, log } = rig([waits]);
  const client = await connect(path);
  client.call(1, "test.wait");
  await until(() => running, "it runs");
  client.say({ cancel: 1 });
  expect((await client.ended(1)).error).toMatchObject({ code: "timeout", message: "the call was cancelled" });
  expect(log.lines).toEqual([]);
});

test("a client that goes away aborts all its calls", async () => {
  let aborted = 0;
  let running = 0;
  const waits = fakeOp("test.wait", (_input, { signal }) => {
    running++;
    signal.addEventListener("abort", () => aborted++);
    return new Promise<Fields>(() => {});
  });
  const { path, control } = rig([waits]);
  const client = await connect(path);
  client.call(1, "test.wait");
  client.call(2, "test.wait");
  await until(() => running === 2, "both run");
  client.close();
  await until(() => aborted === 2, "both are aborted");
  await until(() => control.connections() === 0, "the connection is forgotten");
});

test("a stream waits for a client that reads slowly, and goes on when it reads again", async () => {
  let sent = 0;
  const rows = 3000;
  const stream = fakeOp("test.stream", async (_input, { emit }) => {
    for (; sent < rows; sent++) await emit({ n: sent, text: "x".repeat(1000) });
    return { sent };
  });
  const { path } = rig([stream, echo]);
  const client = await connect(path);
  client.pause();
  client.call(1, "test.stream");
  const other = await connect(path);
  let before = -1;
  await until(() => {
    const stands = sent > 0 && sent === before;
    before = sent;
    return stands;
  }, "the stream stands still");
  other.call(1, "test.echo");
  await other.ended(1);
  expect(sent).toBeLessThan(rows);
  expect(sent * 1000).toBeLessThan(2 * 1024 * 1024);
  client.resume();
  expect((await client.ended(1)).result).toEqual({ sent: rows });
  expect(client.frames.filter((one) => "row" in one).map((one) => (one["row"] as Fields)["n"])).toEqual([
    ...Array(rows).keys(),
  ]);
});

test("a reader that stalls an op which does not wait is cut, with a log line and bounded memory", async () => {
  let aborted = false;
  const flood = fakeOp("test.flood", async (_input, { emit, signal }) => {
    signal.addEventListener("abort", () => {
      aborted = true;
    });
    for (let n = 0; n < 400 && !aborted; n++) {
      void emit({ text: "x".repeat(1024 * 1024) });
      await Bun.sleep(0);
    }
    return {};
  });
  const { path, log, control } = rig([flood]);
  const client = await connect(path);
  client.pause();
  const before = process.memoryUsage.rss();
  client.call(1, "test.flood");
  await until(() => aborted, "the call is aborted");
  await until(() => control.connections() === 0, "the connection is cut");
  expect(process.memoryUsage.rss() - before).toBeLessThan(200 * 1024 * 1024);
  expect(log.lines[0]).toMatchObject({ level: "warn", message: "cut a connection" });
  expect(log.lines[0]!.fields["waiting_bytes"]).toBeGreaterThan(limits.socket.outboundBytesMax);
  expect(log.lines).toHaveLength(1);
});

test("an answer larger than a frame is an error, not a frame that no client takes", async () => {
  const huge = fakeOp("test.huge", () => ({ text: "x".repeat(limits.socket.frameBytesMax) }));
  const { path } = rig([huge]);
  const client = await connect(path);
  client.call(1, "test.huge");
  expect((await client.ended(1)).error?.code).toBe("too_large");
});

describe("many clients", () => {
  const status = fakeOp("daemon.status", () => ({}), { frozen: true });
  const list = fakeOp("thread.list", (_input, { signal }) => aborted(signal));
  const slow = fakeOp("test.slow", () => ({ text: "x".repeat(limits.socket.frameBytesMax / 2) }));

  function crowd(room: number) {
    let now = 0;
    const clock = {
      ...systemClock,
      monotonic: () => now,
      // In a test nobody is closed by the way: what a burst is allowed stays.
      after: (ms: number, fn: () => void) =>
        ms === limits.socket.burstMs ? () => {} : systemClock.after(ms, fn),
    };
    const made = rig([echo, waiting, list, slow, status], { room, clock });
    return {
      ...made,
      most: room + limits.socket.connectionsReserved,
      pass: (ms: number) => {
        now += ms;
      },
      /** A client that the daemon has met, one ms after the one before. */
      async joined() {
        now += 1;
        const before = made.control.connections();
        const client = await connect(made.path);
        client.say({ hello: { version: "0.0.0", protocol: 1 } });
        await until(() => client.frames.length > 0, "hello is answered");
        return { client, before };
      },
      async busy(op: string) {
        const calls = made.tally.calls;
        const client = await connect(made.path);
        client.call(1, op);
        await until(() => made.tally.calls > calls, `${op} runs`);
        return client;
      },
    };
  }

  test("with calls of as many clients as may be, one more only sees and ends the load", async () => {
    const room = 5;
    const { path, control, tally, most, busy } = crowd(room);
    const clients = [];
    for (let n = 0; n < room; n++) clients.push(await busy("test.wait"));
    const late = await connect(path);
    late.call(1, "test.echo");
    expect((await late.ended(1)).error?.code).toBe("overloaded");
    late.call(2, "daemon.status");
    expect((await late.ended(2)).result).toEqual({});
    clients[0]!.call(2, "test.echo", { n: 1 });
    expect((await clients[0]!.ended(2)).result).toEqual({ n: 1 });
    // The reserve is bounded too.
    late.call(3, "thread.list");
    await until(() => tally.calls === room + 1, "it runs");
    for (let n = 1; n < limits.socket.connectionsReserved; n++) clients.push(await busy("thread.list"));
    expect(control.connections()).toBe(most);
    const last = await connect(path);
    last.call(1, "daemon.status");
    expect((await last.ended(1)).result).toEqual({});
    last.close();
    await until(() => control.connections() === most, "it has gone");
    while (control.connections() < most + limits.socket.burstMax) clients.push(await busy("thread.list"));
    const refused = await connect(path);
    expect((await refused.ended(null)).error?.code).toBe("overloaded");
    await refused.closed();
    // What was refused when all were at work is not refused afterwards.
    for (const client of clients) client.close();
    await until(() => control.connections() === 1, "the others have gone");
    late.call(4, "test.echo", { n: 2 });
    expect((await late.ended(4)).result).toEqual({ n: 2 });
    control.close();
  });

  test("clients that are connected and call nothing take the place of nobody", async () => {
    const { control, most, joined, busy } = crowd(3);
    const used = await busy("test.wait");
    const first = (await joined()).client;
    const second = (await joined()).client;
    const silent = [];
    while (control.connections() < most) silent.push((await joined()).client);
    // The first one was used again meanwhile, so the second one is idle for the longest time.
    first.call(1, "test.echo", { n: 1 });
    expect((await first.ended(1)).result).toEqual({ n: 1 });
    const next = (await joined()).client;
    expect((await second.ended(null)).error?.code).toBe("overloaded");
    await second.closed();
    next.call(1, "test.echo", { n: 2 });
    expect((await next.ended(1)).result).toEqual({ n: 2 });
    for (let n = 0; n < 3 * most; n++) await joined();
    expect(control.connections()).toBe(most);
    used.call(2, "test.echo", { n: 3 });
    expect((await used.ended(2)).result).toEqual({ n: 3 });
    control.close();
  });

  test("a call that crosses the end of its idle connection is refused and never runs", async () => {
    let ran = 0;
    const count = fakeOp("test.count", () => ({ n: ++ran }));
    const { path, control } = rig([count], { room: 1 });
    const clients: Client[] = [];
    while (control.connections() < 1 + limits.socket.connectionsReserved) {
      const before = control.connections();
      clients.push(await connect(path));
      await until(() => control.connections() > before, "one more is in");
    }
    const next = await connect(path);
    clients[0]!.call(1, "test.count");
    const [first] = await until(() => clients[0]!.frames.length > 0 && clients[0]!.frames, "a frame");
    expect(first).toMatchObject({ error: { code: "overloaded", retry: "later" } });
    await clients[0]!.closed();
    next.call(1, "test.count");
    expect((await next.ended(1)).result).toEqual({ n: 1 });
    control.close();
  });

  test("who has sent half a frame, or reads a long answer, is not idle", async () => {
    const { path, control, most, joined, pass } = crowd(1);
    const half = await connect(path);
    half.raw('{"id":1,"op":"test.echo",');
    const reader = await connect(path);
    reader.pause();
    reader.call(1, "test.slow");
    const others = [];
    while (control.connections() < most) others.push((await joined()).client);
    await joined();
    await others[0]!.closed();
    half.raw('"schema":"hash","input":{"n":1},"caller":{"kind":"cli","thread_id":null,"cwd":"/"}}\n');
    expect((await half.ended(1)).result).toEqual({ n: 1 });
    reader.resume();
    expect((await reader.ended(1)).result?.["text"]).toHaveLength(limits.socket.frameBytesMax / 2);
    // One that leaves it at half a frame does not stay for ever.
    half.raw("{");
    for (let n = 0; n < most; n++) await joined();
    expect(control.connections()).toBe(most);
    pass(limits.socket.helloTimeoutMs);
    for (let n = 0; n < most; n++) await joined();
    await half.closed();
    control.close();
  });
});

test("the kernel's word for our own connection is our own uid, and it is let in", async () => {
  const { path } = rig([echo]);
  const client = await connect(path);
  client.call(1, "test.echo");
  expect((await client.ended(1)).result).toEqual({});
});

test("another uid is refused by name and closed before it can call", async () => {
  const { path, log, audited } = rig([fakeOp("test.write", () => ({}), { intent: "write" })], {
    processOf: () => ({ uid: 4711, pid: 1 }),
    uid: 1000,
  });
  const client = await connect(path);
  client.call(1, "test.write");
  expect((await client.ended(null)).error).toMatchObject({
    code: "denied",
    message: expect.stringContaining("4711"),
  });
  await client.closed();
  expect(audited).toEqual([]);
  expect(log.lines[0]!.fields["code"]).toBe("denied");
});

test("a peer the kernel says nothing about is refused", async () => {
  const unknown = () => {
    throw new DispatchError("internal", "the kernel does not say who connected");
  };
  const { path } = rig([echo], { processOf: unknown });
  const client = await connect(path);
  expect((await client.ended(null)).error?.code).toBe("denied");
  await client.closed();
});

test("the process of a connection is looked at when a call asks, else soon after it connected, and once", async () => {
  const timers: (() => void)[] = [];
  const after = (ms: number, fn: () => void) => {
    if (ms === limits.socket.originMs) timers.push(fn);
    return () => {};
  };
  let looks = 0;
  const originOf = () => {
    looks++;
    return { kind: "agent", thread: "thread-a", why: "" } as const;
  };
  const who = fakeOp("test.who", (_input, { caller }) => ({ thread: caller.thread_id }));
  const { path } = rig([echo, who], { clock: { ...systemClock, after }, originOf });
  const client = await connect(path);
  client.call(1, "test.echo");
  await client.ended(1);
  expect(looks).toBe(0);
  for (const ring of timers) ring();
  expect(looks).toBe(1);
  client.call(2, "test.who");
  expect((await client.ended(2)).result).toEqual({ thread: "thread-a" });
  expect(looks).toBe(1);
});

test("a connection that says nothing is closed after a while; one that spoke is kept", async () => {
  const timers: (() => void)[] = [];
  const after = (ms: number, fn: () => void) => {
    if (ms !== limits.socket.helloTimeoutMs) return () => {};
    timers.push(fn);
    return () => void timers.splice(timers.indexOf(fn), 1);
  };
  const clock = { ...systemClock, after };
  const { path, control } = rig([echo], { clock });
  const quiet = await connect(path);
  await until(() => timers.length === 1, "the first is in");
  const talker = await connect(path);
  talker.call(1, "test.echo");
  await talker.ended(1);
  expect(timers).toHaveLength(1);
  for (const ring of timers.splice(0)) ring();
  await quiet.closed();
  talker.call(2, "test.echo");
  await talker.ended(2);
  expect(control.connections()).toBe(1);
});

test("finish takes the socket away, tells every call, sends what they answer and refuses more", async () => {
  const waits = fakeOp("test.wait", (_input, { signal }) => {
    const { promise, resolve } = Promise.withResolvers<Fields>();
    signal.addEventListener("abort", () => resolve({ why: (signal.reason as Error).message }));
    return promise;
  });
  const { path, control } = rig([waits, echo]);
  const client = await connect(path);
  client.call(1, "test.wait");
  client.call(2, "test.echo");
  await client.ended(2);
  await control.finish(new DispatchError("daemon_down", "the daemon stops"));
  expect(() => lstatSync(path)).toThrow();
  expect((await client.ended(1)).result).toEqual({ why: "the daemon stops" });
  client.call(3, "test.echo");
  expect((await client.ended(3)).error?.code).toBe("daemon_down");
  control.close();
  await client.closed();
});

test("the socket is 0600 whatever the umask", () => {
  const old = process.umask(0);
  try {
    const { path } = rig([echo]);
    expect(lstatSync(path).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(old);
  }
});

test("a hundred clients with a hundred calls each all get their own answers", async () => {
  const { path, control } = rig([echo]);
  const clients = await Promise.all(Array.from({ length: 100 }, () => connect(path)));
  await Promise.all(
    clients.map(async (client, who) => {
      for (let from = 0; from < 100; from += 50) {
        for (let id = from; id < from + 50; id++) client.call(id, "test.echo", { n: who * 1000 + id });
        for (let id = from; id < from + 50; id++)
          expect((await client.ended(id)).result).toEqual({ n: who * 1000 + id });
      }
    }),
  );
  control.close();
});

for (const seed of [1, 2, 3]) {
  test(`after any garbage (seed ${seed}) the connection still answers, and nothing ran or was logged`, async () => {
    let state = seed;
    const next = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const seedFrame =
      '{"id":1,"op":"test.echo","schema":"hash","input":{"n":1},"caller":{"kind":"cli","thread_id":null,"cwd":"/"}}';
    const { path, log } = rig([echo]);
    const client = await connect(path);
    for (let round = 0; round < 300; round++) {
      const bytes = Buffer.from(seedFrame);
      for (let hits = 1 + next(6); hits > 0; hits--) bytes[next(bytes.length)] = next(256);
      client.raw(
        Buffer.concat([
          bytes.subarray(0, next(3) === 0 ? next(bytes.length) : bytes.length),
          Buffer.from("\n"),
        ]),
      );
    }
    client.call(900_719, "test.echo", { text: "still here" });
    expect((await client.ended(900_719)).result).toEqual({ text: "still here" });
    expect(log.lines).toEqual([]);
  });
}

test("a lack of file descriptors is no refusal: the caller is told to come again, and may", async () => {
  const short = () => {
    throw new DispatchError("overloaded", "too many files are open");
  };
  const { path: closed } = rig([echo], { processOf: short });
  const refused = await connect(closed);
  expect((await refused.ended(null)).error).toMatchObject({ code: "overloaded", retry: "later" });

  let isShort = true;
  const originOf = () => (isShort ? short() : ({ kind: "person" } as const));
  const who = fakeOp("test.who", (_input, { caller }) => ({ thread: caller.thread_id }));
  const { path } = rig([who], { originOf });
  const client = await connect(path);
  client.call(1, "test.who");
  expect((await client.ended(1)).error?.code).toBe("overloaded");
  isShort = false;
  client.call(2, "test.who");
  expect((await client.ended(2)).result).toEqual({ thread: null });
});
