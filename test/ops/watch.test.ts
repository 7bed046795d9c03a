/** What a sample tells while it waits. */
import { afterEach, describe, expect, test } from "bun:test";
import { parse } from "valibot";
import { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import type { RawLine } from "../../src/core/model/ports/agent.ts";
import watch from "../../src/ops/thread/watch.ts";
import { connect, rig, until } from "../daemon/rig.ts";
import { type Given, situations } from "../world/given.ts";

let given: Given | undefined;
afterEach(() => given?.world.end());

async function told(kind: "cli" | "mcp", input: object): Promise<unknown[]> {
  await given?.world.end();
  given = await situations["a finished turn"]!();
  const rows: unknown[] = [];
  const { caller, ...ctx } = given.world.ctx();
  await watch.run(parse(watch.input, input), {
    ...ctx,
    caller: { ...caller, kind },
    emit: async (row) => void rows.push(row),
  });
  return rows;
}

test("over MCP it tells that it still watches, so that the host does not give it up, and no more once it is over", async () => {
  expect(await told("mcp", { all: true, timeout: 1.3 })).toEqual([{ watching: "all" }]);
  const rows = await told("mcp", { threads: ["@docs"], timeout: 1.3 });
  expect(rows).toEqual([{ watching: [given!.world.engine.core.resolve("@docs", null)] }]);
  expect(await told("mcp", { all: true, timeout: 0 })).toEqual([]);
}, 10_000);

test("at a terminal it tells nothing beside the sample", async () => {
  expect(await told("cli", { all: true, timeout: 1.3 })).toEqual([]);
}, 10_000);

describe("Codex's own stream", () => {
  const line = (params: object): RawLine => ({
    method: "item/agentMessage/delta",
    thread_id: null,
    line: { method: "item/agentMessage/delta", params: params as Record<string, unknown> },
    delta: { turn_id: "t", item_id: "i", type: "agent_message", text: (params as { delta: string }).delta },
  });

  /** Over a real socket, with a tap that a test speaks into. */
  async function watching(input: object, emit?: () => Promise<void>) {
    await given?.world.end();
    given = await situations.nothing!();
    const { world } = given;
    const taps = new Set<(line: RawLine) => void>();
    const op = {
      ...watch,
      run: (parsed: never, ctx: Parameters<typeof watch.run>[1]) =>
        watch.run(parsed, {
          ...world.ctx(),
          signal: ctx.signal,
          emit: emit ?? ctx.emit,
          core: {
            ...world.engine.core,
            tap(listener) {
              taps.add(listener);
              return () => taps.delete(listener);
            },
          },
        }),
    };
    const it = rig([op as never]);
    const client = await connect(it.path);
    client.call(1, "thread.watch", { all: true, follow: true, ...input });
    await until(() => taps.size > 0, "it taps the stream");
    const speak = (params: object) => {
      for (const tap of taps) tap(line(params));
    };
    return { ...it, client, taps, speak, rows: () => client.frames.flatMap(({ row }) => (row ? [row] : [])) };
  }

  for (const flag of ["raw", "deltas"])
    test(`--${flag} marks a line that no frame holds, in its place, and goes on`, async () => {
      const { client, speak, rows, control, log } = await watching({ [flag]: true });
      speak({ delta: "before" });
      speak({ delta: "x".repeat(limits.socket.frameBytesMax) });
      speak({ delta: "after" });
      await until(() => rows().length === 3, "three rows");
      const [before, mark, after] = rows() as Record<string, unknown>[];
      expect(JSON.stringify(before)).toContain("before");
      expect(JSON.stringify(after)).toContain("after");
      expect(mark!["omitted_bytes"]).toBeGreaterThan(limits.socket.frameBytesMax);
      expect(mark).toMatchObject(
        flag === "raw" ? { method: "item/agentMessage/delta" } : { kind: "delta", turn_id: "t" },
      );
      expect(JSON.stringify(mark).length).toBeLessThan(500);
      expect(watch.viewRow!(mark!, { width: 80, now: 0, color: false })).toContain(
        `${mark!["omitted_bytes"]}`,
      );
      expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
      client.close();
      control.close();
    });

  test("ends with the error when a row cannot be sent, and the tap is taken away", async () => {
    const broken = () => Promise.reject(new TypeError("the row is broken"));
    const { client, speak, taps, control, log } = await watching({ raw: true }, broken);
    speak({ delta: "a" });
    speak({ delta: "b" });
    expect((await client.ended(1)).error?.code).toBe("internal");
    expect(taps.size).toBe(0);
    expect(log.lines).toMatchObject([{ level: "error", fields: { op: "thread.watch" } }]);
    control.close();
  });

  test("ends with the reason, and not well, when the daemon stops under it", async () => {
    const { client, control } = await watching({ raw: true });
    await control.finish(new DispatchError("daemon_down", "the daemon is stopping", { hint: "dispatch up" }));
    expect((await client.ended(1)).error).toMatchObject({ code: "daemon_down", hint: "dispatch up" });
    control.close();
  });

  test("ends well when its time is over", async () => {
    const { client, control } = await watching({ raw: true, timeout: 0.05 });
    expect((await client.ended(1)).result).toMatchObject({ timed_out: true });
    control.close();
  });
});
