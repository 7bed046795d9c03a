/** An id that is minted twice is minted again: nothing is lost to it, and nothing passes for another. */
import { beforeEach, expect, test } from "bun:test";
import { until } from "../support/codex-sink.ts";
import { type Rig, rig } from "./rig.ts";

/** Each value four times in a row. */
function repeating(minted: () => string): () => string {
  let [value, left] = ["", 0];
  return () => {
    if (left-- === 0) [value, left] = [minted(), 3];
    return value;
  };
}

let here: Rig;
beforeEach(async () => {
  here = await rig();
  const { mint } = here.world;
  const { ref, id } = mint;
  Object.assign(mint, { ref: repeating(ref), id: repeating(id) });
});

test("messages keep ids of their own, and each is delivered once", async () => {
  const receipts = [];
  for (const text of ["1", "2", "3", "4", "5"]) receipts.push(await here.send(text, { mode: "queue" }));
  expect(new Set(receipts.map(({ receipt }) => receipt)).size).toBe(5);
  for (const receipt of receipts) await here.reaches(receipt, "done");
  expect(here.world.agent.asked).toEqual(["1", "2", "3", "4", "5"]);
});

test("threads and questions keep ids of their own, and every question is asked", async () => {
  const { core } = here.world.engine;
  const refs = [here.ref];
  for (const name of ["a", "b", "c"]) {
    const settings = { cwd: "/repo" };
    const draft = { name, text: '[{"ask":"touch x"}]', goal: null, settings, key: null, created_by: "cli" };
    refs.push((await core.create(draft, new AbortController().signal)).ref);
  }
  expect(new Set(refs).size).toBe(4);
  const open = () => core.requests({ ref: null, all: false, limit: 10 });
  await until("all questions", () => open().length === 3);
  expect(new Set(open().map(({ id }) => id)).size).toBe(3);
});
