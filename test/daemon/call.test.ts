import { expect, test } from "bun:test";
import * as v from "valibot";
import { DispatchError } from "../../src/base/error.ts";
import { connect, type Fields, fakeOp, rig } from "./rig.ts";

async function answerOf(ops: Parameters<typeof rig>[0], name: string, input: Fields, schema = "hash") {
  const it = rig(ops);
  const client = await connect(it.path);
  client.call(1, name, input, schema);
  const ended = await client.ended(1);
  client.close();
  it.control.close();
  return { ...ended, log: it.log, audited: it.audited };
}

const echo = fakeOp("test.echo", (input) => ({ ...input }));

test("an operation the daemon does not know is stale: a newer client is calling", async () => {
  const { error } = await answerOf([echo], "test.new_thing", {});
  expect(error).toMatchObject({ code: "stale", hint: "dispatch down, then dispatch up" });
  expect(error?.message).toContain("test.new_thing");
});

test("names of Object.prototype are no operations and no fields", async () => {
  for (const name of ["constructor", "__proto__", "toString"])
    expect((await answerOf([echo], name, {})).error?.code).toBe("stale");
  const raw = JSON.parse('{"__proto__":{"n":1}}');
  expect((await answerOf([echo], "test.echo", raw)).error?.code).toBe("usage");
});

test("another schema is stale before anything runs", async () => {
  let ran = false;
  const write = fakeOp(
    "test.write",
    () => {
      ran = true;
      return {};
    },
    { intent: "write" },
  );
  const { error, audited } = await answerOf([write], "test.write", {}, "of another build");
  expect(error?.code).toBe("stale");
  expect(ran).toBe(false);
  expect(audited).toEqual([]);
});

test("a frozen operation answers every schema, and lets be what it does not know", async () => {
  const status = fakeOp("test.status", (input) => ({ got: input }), { frozen: true });
  const { result } = await answerOf(
    [status],
    "test.status",
    { n: 1, of_a_newer_client: true },
    "of another build",
  );
  expect(result).toEqual({ got: { n: 1 } });
});

test("calls under way are counted while they run, those about the daemon itself are not", async () => {
  const opened = Promise.withResolvers<void>();
  const slow = fakeOp("test.slow", async () => {
    await opened.promise;
    return {};
  });
  const counts: number[] = [];
  const status = fakeOp(
    "test.status",
    () => {
      counts.push(it.tally.calls);
      return {};
    },
    { frozen: true },
  );
  const it = rig([slow, status]);
  const client = await connect(it.path);
  client.call(1, "test.slow", {}, "hash");
  client.call(2, "test.status", {}, "");
  await client.ended(2);
  opened.resolve();
  await client.ended(1);
  client.call(3, "test.slow", {}, "another");
  await client.ended(3);
  client.call(4, "test.status", {}, "");
  await client.ended(4);
  expect(counts).toEqual([1, 0]);
  client.close();
  it.control.close();
});

test("an unknown field is refused by name", async () => {
  const { error } = await answerOf([echo], "test.echo", { text: "x", txet: "y" });
  expect(error).toMatchObject({ code: "usage", hint: "dispatch test echo --help", data: { field: "txet" } });
  expect(error?.message).toBe('unknown field "txet"; did you mean "text"?');
});

test("a wrong field is refused by name, and its value is not echoed at length", async () => {
  const { error } = await answerOf([echo], "test.echo", { n: "x".repeat(10_000) });
  expect(error).toMatchObject({ code: "usage", data: { field: "n" } });
  expect(error?.message).toStartWith('n: must be a number, not "xxx');
  expect(error!.message.length).toBeLessThan(400);
});

test("a bug is internal with an id, and the stack is in the log under that id", async () => {
  const buggy = fakeOp("test.bug", () => {
    throw new TypeError("undefined is not a lane");
  });
  const { error, log } = await answerOf([buggy], "test.bug", {});
  expect(error).toMatchObject({ code: "internal", hint: "dispatch daemon log --raw" });
  const line = log.lines.find((one) => one.level === "error")!;
  expect(line.fields["id"]).toBe(error!.data["id"]);
  expect(error!.message).toContain(line.fields["id"] as string);
  expect(error!.message).not.toContain("not a lane");
  expect((line.fields["thrown"] as Error).stack).toContain("call.test.ts");
});

test("a bug in a keyed call tells the key, with which asking again never does it twice", async () => {
  const buggy = fakeOp(
    "test.keyed",
    () => {
      throw new TypeError("after the commit");
    },
    { intent: "write", input: v.strictObject({ idempotency_key: v.string() }) },
  );
  const { error } = await answerOf([buggy], "test.keyed", { idempotency_key: "k1" });
  expect(error).toMatchObject({ code: "internal", data: { idempotency_key: "k1" } });
  expect(error?.hint).toContain("--idempotency-key k1");
});

test("an output that its own schema forbids never leaves", async () => {
  const lying = fakeOp("test.lie", () => ({ count: "seven" }), { output: v.object({ count: v.number() }) });
  const { error, log } = await answerOf([lying], "test.lie", {});
  expect(error?.code).toBe("internal");
  expect((log.lines[0]!.fields["thrown"] as Error).message).toContain("count");
});

test("what an output schema does not name does not leave either", async () => {
  const chatty = fakeOp("test.chatty", () => ({ count: 7, secret: "x" }), {
    output: v.object({ count: v.number() }),
  });
  expect((await answerOf([chatty], "test.chatty", {})).result).toEqual({ count: 7 });
});

test("what changes something is audited with its outcome, good or bad; a read is not", async () => {
  const write = fakeOp("test.write", () => ({ receipt: "r" }), { intent: "write" });
  const refused = fakeOp(
    "test.destroy",
    () => {
      throw new DispatchError("authority", "not yours");
    },
    { intent: "destroy" },
  );
  expect((await answerOf([write], "test.write", { n: 1 })).audited).toEqual([
    {
      caller: { kind: "cli", thread_id: null, cwd: "/" },
      op: "test.write",
      intent: "write",
      input: { n: 1 },
      outcome: "ok",
      result: { receipt: "r" },
    },
  ]);
  expect((await answerOf([refused], "test.destroy", {})).audited).toMatchObject([
    { op: "test.destroy", outcome: "authority", result: null },
  ]);
  expect((await answerOf([write], "test.write", { nope: 1 })).audited).toMatchObject([{ outcome: "usage" }]);
  expect((await answerOf([echo], "test.echo", {})).audited).toEqual([]);
});

test("a write that is cancelled while it runs is unsure, a read only ended", async () => {
  for (const [intent, code] of [
    ["read", "timeout"],
    ["write", "unsure"],
    ["destroy", "unsure"],
  ] as const) {
    const begun = Promise.withResolvers<void>();
    const slow = fakeOp(
      "test.slow",
      (_, { signal }) => {
        begun.resolve();
        return new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        );
      },
      { intent, input: v.strictObject({ idempotency_key: v.string() }) },
    );
    const it = rig([slow]);
    const client = await connect(it.path);
    client.call(1, "test.slow", { idempotency_key: "k-1" });
    await begun.promise;
    client.say({ cancel: 1 });
    const { error } = await client.ended(1);
    expect(error?.code).toBe(code);
    if (code === "unsure") expect(error).toMatchObject({ data: { idempotency_key: "k-1" } });
    client.close();
    it.control.close();
  }
});
