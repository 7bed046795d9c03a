/** Lines that are no proper frame, at random: whatever comes, the daemon lives and the next call is answered. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import { caller, connect, until } from "../daemon/rig.ts";
import { seeded } from "../support/seeded.ts";
import { type FuzzRig, fuzzRig } from "./rig.ts";

let rig: FuzzRig;
beforeAll(async () => {
  rig = await fuzzRig();
});
afterAll(() => rig.dispose());

const whole = JSON.stringify({ id: 1, op: "thread.list", schema: "", input: { limit: 5 }, caller });

test("a frame that was cut, flipped, doubled or spliced at random is answered or refused, never left", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = seeded(seed);
    const below = (max: number) => Math.floor(random() * max);
    let bytes = Buffer.from(whole);
    for (let change = below(4) + 1; change > 0; change--) {
      const at = below(bytes.length);
      const kind = below(4);
      if (kind === 0) bytes = bytes.subarray(0, at + 1);
      else if (kind === 1) bytes[at] = below(256);
      else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes]);
      else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([below(256)]), bytes.subarray(at)]);
    }
    const client = await connect(rig.path);
    client.raw(Buffer.concat([bytes, Buffer.from("\n")]));
    await until(() => client.frames.length > 0, `an answer to ${JSON.stringify(bytes.toString("latin1"))}`);
    client.close();
  }
  expect((await rig.ask("thread.list", {})).error).toBeUndefined();
  expect(rig.log.faults()).toEqual([]);
}, 30_000);

test("JSON of any depth and any size is refused in few words, under its id", async () => {
  const deep = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const values = [
    ...[127, 5000, 1_000_000].map(deep),
    ...[127, 5000, 1_000_000].map((depth) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`),
    `"${"x".repeat(limits.socket.frameBytesMax)}"`,
    `{${Array.from({ length: 200_000 }, (_, n) => `"k${n}":1`).join(",")}}`,
    "1e999999",
    `${"9".repeat(1_000_000)}`,
  ];
  const fields = ["op", "schema", "input", "caller", "as", "other"];
  for (const value of values)
    for (const field of fields) {
      const client = await connect(rig.path);
      const rest = Object.entries({ op: "thread.list", schema: "none", input: {}, caller })
        .filter(([name]) => name !== field)
        .map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`);
      client.raw(`{${[`"${field}":${value}`, ...rest, '"id":7'].join(",")}}\n`);
      const { error } = await client.ended(7);
      expect(["usage", "too_large", "stale"]).toContain(error?.code as string);
      expect(JSON.stringify(error).length).toBeLessThan(3 * limits.error.charsMax);
      client.close();
    }
  expect(rig.log.faults()).toEqual([]);
}, 60_000);

test("ids at the edge of what a number holds are answered as they came, or refused", async () => {
  const client = await connect(rig.path);
  for (const id of ["0", "9007199254740991", "9007199254740993", "-1", "1.5", "1e400", '"1"', "null", "[]"])
    client.raw(`${whole.replace('"id":1', `"id":${id}`)}\n`);
  await until(() => client.frames.length >= 9, "nine answers");
  expect(client.frames.map(({ id }) => id)).toContain(9007199254740991);
  client.close();
});
