/** What a sample tells while it waits. */
import { afterEach, expect, test } from "bun:test";
import { parse } from "valibot";
import watch from "../../src/ops/thread/watch.ts";
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
