/** Which command `dispatch schema` shows for the words it is given. */
import { expect, test } from "bun:test";
import type { ClientCtx } from "../../src/ops/ctx.ts";
import schema from "../../src/ops/daemon/schema.ts";

const rows = [
  ["list", "thread.list"],
  ["queue list", "queue.list"],
  ["request answer", "request.answer"],
].map(([command, op]) => ({ command, op, intent: "read", summary: "", input: {}, output: {} }));
const ctx = { schemas: async () => rows } as unknown as ClientCtx;
const run = async (command: string[]) => (await schema.run({ command }, ctx)) as { op: string };

const spellings: [string[], string][] = [
  [["list"], "thread.list"],
  [["list", "--unmanaged"], "thread.list"],
  [["list --unmanaged"], "thread.list"],
  [[" list  --unmanaged "], "thread.list"],
  [["thread.list"], "thread.list"],
  [["thread.list --unmanaged"], "thread.list"],
  [["queue", "list"], "queue.list"],
  [["queue list"], "queue.list"],
  [["queue_list"], "queue.list"],
  [["queue.list"], "queue.list"],
  [["queue list", "--state=held"], "queue.list"],
  [["queue\tlist\n"], "queue.list"],
];

for (const [words, op] of spellings)
  test(`${JSON.stringify(words)} is ${op}`, async () => {
    expect((await run(words)).op).toBe(op);
  });

test("what no command is called is not found", async () => {
  const error = await run(["lst --all"]).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "not_found", message: 'there is no command "lst"' });
});
