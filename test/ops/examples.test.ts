/** Every example of every op, run as a test against the in-memory world. */
import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { type Code, codes, DispatchError } from "../../src/base/error.ts";
import { plainLook } from "../../src/base/text.ts";
import { derivedFails, failsOf } from "../../src/ops/fails.ts";
import { index } from "../../src/ops/index.ts";
import type { AnyOp, DaemonOp } from "../../src/ops/op.ts";
import { situations } from "../world/given.ts";

const ops: AnyOp[] = await Promise.all(index.map(async (row) => (await row.load()).default));
const daemonOps = ops.filter((one): one is DaemonOp => one.at !== "client");

/** What only a caller in a thread of its own meets, so no example shows it. */
const ofAgents: Readonly<Record<string, Code[]>> = { "thread.wait": ["conflict"] };

function isShown(op: DaemonOp, code: Code): boolean {
  return op.examples.some(
    ({ error, output }) => error === code || (output && op.exit?.(output as never) === codes[code].exit),
  );
}

for (const op of daemonOps) {
  describe(op.cli, () => {
    for (const example of op.examples) {
      const shown = example.error
        ? `fails with ${example.error}`
        : `answers ${JSON.stringify(example.output)}`;
      test(`given ${example.given}, ${JSON.stringify(example.input)} ${shown}`, async () => {
        const make = situations[example.given];
        if (!make) throw new Error(`no situation "${example.given}" in test/world/given.ts`);
        const { world, words } = await make();
        try {
          const input = v.parse(op.input, filled(example.input, words));
          const answer = await op.run(input, world.ctx());
          const out = v.parse(op.output, answer);
          // What the contract does not name is dropped on its way to the caller.
          expect(out).toEqual(answer);
          expect(example.error).toBeUndefined();
          expect(out).toMatchObject(example.output as Record<string, unknown>);
          expect(op.view(out, plainLook(world.clock.now()))).toBeString();
        } catch (thrown) {
          if (!(thrown instanceof DispatchError) || example.error === undefined) throw thrown;
          expect(thrown.code).toBe(example.error);
          expect(failsOf(op)).toContain(thrown.code);
          expect(thrown.message).not.toBe("");
        } finally {
          await world.end();
        }
      });
    }

    test("says what it does", () => {
      expect(op.summary).not.toEndWith(".");
    });

    test("names no failure that is derived, and shows each that it names", () => {
      const derived = derivedFails(op);
      expect((op.fails ?? []).filter((code) => derived.has(code))).toEqual([]);
      expect((op.fails ?? []).filter((code) => !isShown(op, code))).toEqual(ofAgents[op.name] ?? []);
    });
  });
}

function filled(input: unknown, words: Record<string, string>): unknown {
  return JSON.parse(JSON.stringify(input), (_key, value) =>
    typeof value === "string" ? (words[value] ?? value) : value,
  );
}
