import { describe, expect, test } from "bun:test";
import type { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import { rpc } from "../../src/codex/rpc.ts";
import { handClock } from "../support/codex-clock.ts";

interface Sent {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

function wire() {
  const clock = handClock();
  const lines: string[] = [];
  const calls = rpc({ write: (line) => lines.push(line), clock });
  return {
    ...calls,
    clock,
    lines,
    sent: () => lines.map((line) => JSON.parse(line) as Sent),
    answer: (id: number, result: unknown = {}) => calls.settle({ id, result }),
    refuse: (id: number, code: number, message: string) => calls.settle({ error: { code, message }, id }),
  };
}

const refused = (call: Promise<unknown>): Promise<DispatchError> =>
  call.then(
    () => Promise.reject(new Error("it was not refused")),
    (thrown: DispatchError) => thrown,
  );

describe("calls", () => {
  test("ids count from 1, a call is one line, and its params are an object even when empty", async () => {
    const to = wire();
    const [first, second] = [to.call("a/b", {}), to.call("c/d", { text: "line\nline" })];
    expect(to.lines).toHaveLength(2);
    expect(to.lines.every((line) => line.indexOf("\n") === line.length - 1)).toBe(true);
    expect(to.sent()).toEqual([
      { id: 1, method: "a/b", params: {} },
      { id: 2, method: "c/d", params: { text: "line\nline" } },
    ]);
    to.answer(2, { two: 2 });
    to.answer(1, { one: 1 });
    expect(await Promise.all([first, second])).toEqual([{ one: 1 }, { two: 2 }]);
  });

  test("a refusal is the error `agent` with a reason and codex's own words", async () => {
    const to = wire();
    const error = refused(to.call("thread/resume", {}));
    to.refuse(1, -32600, "thread T already has an active writer");
    expect((await error).body).toMatchObject({
      code: "agent",
      data: { reason: "active_writer", words: "thread T already has an active writer" },
    });
  });

  test("an answer that nobody waits for is told, and harms nothing", () => {
    const to = wire();
    expect(to.answer(99)).toBe(false);
    expect(to.settle({ id: "1", result: {} })).toBe(false);
  });

  test("a call without an answer ends at its deadline, with an unknown outcome", async () => {
    const to = wire();
    const error = refused(to.call("turn/start", {}, { timeoutMs: 5000 }));
    await to.clock.advance(5000);
    expect((await error).body).toMatchObject({ code: "timeout", data: { outcome: "unknown" } });
    expect(to.answer(1)).toBe(false);
  });

  test("what a call made is given to whoever undoes it, when its answer comes after the deadline", async () => {
    const to = wire();
    const late: unknown[] = [];
    const call = () =>
      refused(to.call("thread/start", {}, { timeoutMs: 5000, late: (one) => late.push(one) }));
    const errors = Promise.all([call(), call()]);
    await to.clock.advance(5000);
    expect((await errors).map(({ code }) => code)).toEqual(["timeout", "timeout"]);
    expect(to.answer(1, { thread: { id: "T" } })).toBe(true);
    to.refuse(2, -32600, "no");
    expect(to.answer(1, { thread: { id: "T" } })).toBe(false);
    expect(late).toEqual([{ thread: { id: "T" } }]);
  });

  test("a deadline that fires late, because the machine slept, starts again once", async () => {
    const to = wire();
    const error = refused(to.call("turn/start", {}, { timeoutMs: 5000 }));
    to.clock.jump(3_600_000);
    await to.clock.advance(1);
    await to.clock.advance(4000);
    expect(to.clock.pending()).toBe(1);
    await to.clock.advance(1500);
    expect((await error).code).toBe("timeout");
  });

  test("an answer over the limit of a line ends its call as too large", async () => {
    const to = wire();
    const error = refused(to.call("thread/turns/list", {}));
    to.dropAnswer(1);
    expect((await error).code).toBe("too_large");
  });
});

describe("the window", () => {
  test("never more than the window is unanswered, and the rest goes out in order", async () => {
    const to = wire();
    const calls = Array.from({ length: 200 }, (_, at) => to.call("m", { at }));
    expect(to.lines).toHaveLength(limits.wire.inFlightMax);
    for (let id = 1; id <= 200; id++) {
      expect(to.lines.length - (id - 1)).toBeLessThanOrEqual(limits.wire.inFlightMax);
      to.answer(id, { id });
    }
    await Promise.all(calls);
    expect(to.sent().map((one) => one.params["at"])).toEqual(Array.from({ length: 200 }, (_, at) => at));
  });

  test("an urgent call passes it", () => {
    const to = wire();
    for (let at = 0; at < 100; at++) void to.call("m", {}).catch(() => {});
    void to.call("ping", {}, { urgent: true });
    expect(to.sent().at(-1)!.method).toBe("ping");
  });

  test("a call that could not go out before its deadline was not sent", async () => {
    const to = wire();
    for (let at = 0; at < limits.wire.inFlightMax; at++)
      void to.call("m", {}, { timeoutMs: 60_000 }).catch(() => {});
    const error = refused(to.call("late", {}, { timeoutMs: 1000 }));
    await to.clock.advance(1000);
    expect((await error).body).toMatchObject({
      code: "agent",
      data: { reason: "overloaded", outcome: "not_sent" },
    });
    to.answer(1);
    expect(to.sent().some((one) => one.method === "late")).toBe(false);
  });

  test("a deadline makes room for the next", async () => {
    const to = wire();
    for (let at = 0; at < limits.wire.inFlightMax; at++)
      void to.call("m", {}, { timeoutMs: 1000 }).catch(() => {});
    void to.call("next", {}).catch(() => {});
    await to.clock.advance(1000);
    expect(to.sent().at(-1)!.method).toBe("next");
  });

  test("a backlog that is full refuses at once", async () => {
    const to = wire();
    for (let at = 0; at < limits.wire.inFlightMax + limits.wire.backlogMax; at++)
      void to.call("m", {}).catch(() => {});
    expect((await refused(to.call("one too many", {}))).body.data).toMatchObject({ reason: "overloaded" });
  });
});

describe("the end of the child", () => {
  test("what was written is unknown, what waited is not sent, and so is everything after", async () => {
    const to = wire();
    const calls = Array.from({ length: limits.wire.inFlightMax + 2 }, () => refused(to.call("m", {})));
    to.close("codex was killed by SIGKILL");
    const outcomes = (await Promise.all(calls)).map((error) => error.data!["outcome"]);
    expect(outcomes.filter((outcome) => outcome === "unknown")).toHaveLength(limits.wire.inFlightMax);
    expect(outcomes.slice(-2)).toEqual(["not_sent", "not_sent"]);
    const after = await refused(to.call("m", {}));
    expect(after.body).toMatchObject({ code: "agent_down", message: "codex was killed by SIGKILL" });
    expect(after.data).toEqual({ outcome: "not_sent" });
    expect(to.lines).toHaveLength(limits.wire.inFlightMax);
    expect(to.clock.pending()).toBe(0);
  });
});

describe("reads", () => {
  test("an overloaded read is asked again", async () => {
    const to = wire();
    const read = to.read("thread/read", {});
    to.refuse(1, -32001, "Server overloaded; retry later.");
    await to.clock.advance(0);
    await to.clock.advance(limits.wire.overloadPauseMs);
    to.answer(2, { ok: true });
    expect(await read).toEqual({ ok: true });
  });

  test("a silent read is asked again, and in the end gives up", async () => {
    const to = wire();
    const error = refused(to.read("thread/read", {}));
    await to.clock.advance(10 * limits.codex.callTimeoutMs);
    expect((await error).code).toBe("timeout");
    expect(to.lines).toHaveLength(1 + limits.wire.readRetriesMax);
  });

  test("any other refusal is final, and what writes is never repeated", async () => {
    const to = wire();
    const read = refused(to.read("thread/read", {}));
    to.refuse(1, -32600, "invalid thread id: x");
    expect((await read).data!["reason"]).toBe("bad_thread_id");
    const write = refused(to.call("turn/start", {}));
    to.refuse(2, -32001, "Server overloaded; retry later.");
    expect((await write).data!["reason"]).toBe("overloaded");
    expect(to.lines).toHaveLength(2);
  });
});

describe("text", () => {
  test("what is nested too deep for Codex to answer is refused before anything is written", async () => {
    const to = wire();
    let deep: Record<string, unknown> = {};
    for (let at = 0; at < 100_000; at++) deep = { deep };
    for (const call of [to.call("x", deep), to.read("x", deep)])
      expect(await refused(call)).toMatchObject({ code: "usage", data: { outcome: "not_sent" } });
    expect(() => to.reply({ rpc_id: 1, result: deep })).toThrow("nested more than");
    expect(to.lines).toEqual([]);
  });

  test("half of a surrogate pair is refused before anything is written, wherever it stands", async () => {
    const to = wire();
    for (const params of [{ text: "a\ud800b" }, { input: [{ text: "\udc00" }] }, { ["\ud83d"]: 1 }])
      expect((await refused(to.call("turn/start", params))).code).toBe("usage");
    expect(to.lines).toEqual([]);
  });

  test("every other text passes as it is", async () => {
    const to = wire();
    const texts = [
      "🙂 \ud83d\ude42",
      "the letters \\ud800",
      "\\\\ud800",
      "a\r\n\0\ufeff\u001b[31m",
      "\uffff",
    ];
    for (const text of texts) void to.call("turn/start", { text }).catch(() => {});
    expect(to.sent().map((one) => one.params["text"])).toEqual(texts);
  });
});

test("a request of codex's is answered under its own id, 0 included", () => {
  const to = wire();
  to.reply({ rpc_id: 0, result: { decision: "accept" } });
  to.reply({ rpc_id: "x", error: { code: -32000, message: "no" } });
  expect(to.lines.map((line) => JSON.parse(line))).toEqual([
    { id: 0, result: { decision: "accept" } },
    { id: "x", error: { code: -32000, message: "no" } },
  ]);
});
