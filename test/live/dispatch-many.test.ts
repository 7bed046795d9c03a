/** Ten thousand threads of other apps. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { copyThreads } from "../support/codex-many.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";

setDefaultTimeout(120_000);

const count = 10_000;
let rig: Rig;
let ids: string[];

beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("one of ours", "hello");
  await rig.ask(["down"]);
  ids = copyThreads(rig.codex.home, count);
  await rig.ask(["up"]);
});
afterAll(() => rig.dispose());

test("are all listed, page by page, each once, and none of ours among them", async () => {
  const seen: string[] = [];
  let cursor: string | null = null;
  do {
    const page: { threads: { id: string }[]; next_cursor: string | null } = await rig.ask([
      "list",
      "--unmanaged",
      "--limit",
      "1000",
      ...(cursor === null ? [] : ["--cursor", cursor]),
    ]);
    seen.push(...page.threads.map((thread) => thread.id));
    cursor = page.next_cursor;
  } while (cursor !== null);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.toSorted()).toEqual(ids);
});

test("one of ours is synced and found among them", async () => {
  const [own] = (await rig.ask(["list"])).threads;
  expect((await rig.ask(["sync", own.ref, "--full"])).sync.state).toBe("complete");
  const { matches } = await rig.ask(["search", "hello", "--managed"]);
  expect(matches.map(({ ref }: { ref: string }) => ref)).toContain(own.ref);
});
