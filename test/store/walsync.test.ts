/** What is waited for is on disk, what comes together shares a sync, and a failure is told. */
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../src/store/store.ts";
import { type WalSync, walSync } from "../../src/store/walsync.ts";
import { refusal } from "../core/rig.ts";

const places: string[] = [];
afterEach(() => {
  for (const place of places.splice(0)) rmSync(place, { recursive: true, force: true });
});

function place(): string {
  const made = mkdtempSync(join(tmpdir(), "walsync-"));
  places.push(made);
  return join(made, "registry.db");
}

/** Each sync ends when the test says so. */
function held() {
  const path = place();
  writeFileSync(`${path}-wal`, "");
  const syncs: PromiseWithResolvers<void>[] = [];
  const over: string[] = [];
  const checkpoints: (() => void)[] = [];
  const checkpoint = () => checkpoints.shift()?.();
  const wal: WalSync = walSync(path, checkpoint, () => {
    syncs.push(Promise.withResolvers());
    return syncs.at(-1)!.promise;
  });
  const wait = (name: string) => {
    wal.synced().then(
      () => over.push(name),
      (thrown: Error) => over.push(`${name}: ${thrown.message}`),
    );
  };
  return { wal, syncs, over, wait, checkpoints };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("with nothing written nothing is synced", async () => {
  const { wal, syncs } = held();
  await wal.synced();
  expect(syncs).toHaveLength(0);
  wal.close();
});

test("what is written during a sync waits for the next one, which all of them share", async () => {
  const { wal, syncs, over, wait } = held();
  wal.wrote();
  wait("first");
  wal.wrote();
  wait("second");
  wal.wrote();
  wait("third");
  wait("third again");
  await turn();
  expect(syncs).toHaveLength(1);
  syncs[0]!.resolve();
  await turn();
  expect(over).toEqual(["first"]);
  expect(syncs).toHaveLength(2);
  syncs[1]!.resolve();
  await turn();
  expect(over).toEqual(["first", "second", "third", "third again"]);
  await wal.synced();
  expect(syncs).toHaveLength(2);
  wal.close();
});

test("who comes while a sync of earlier rows runs waits for it", async () => {
  const { wal, syncs, over, wait } = held();
  wal.wrote();
  wait("first");
  await turn();
  wait("again");
  await turn();
  expect(over).toEqual([]);
  syncs[0]!.resolve();
  await turn();
  expect(over).toEqual(["first", "again"]);
  wal.close();
});

test("a sync that fails is told to all that waited, and only rows that are written anew are confirmed after it", async () => {
  const { wal, syncs, over, wait, checkpoints } = held();
  wal.wrote();
  wait("first");
  wait("second");
  await turn();
  syncs[0]!.reject(new Error("EIO"));
  await turn();
  expect(over).toEqual(["first: EIO", "second: EIO"]);
  // The kernel tells of a failed write once: another sync of the same file would succeed.
  checkpoints.push(() => {
    throw new Error("not written");
  });
  wait("third");
  await turn();
  wait("fourth");
  await turn();
  expect(over.slice(2)).toEqual(["third: not written", "fourth"]);
  expect(syncs).toHaveLength(1);
  wal.wrote();
  wait("fifth");
  await turn();
  expect(syncs).toHaveLength(2);
  syncs[1]!.resolve();
  await turn();
  expect(over.at(-1)).toBe("fifth");
  wal.close();
});

test("a registry in memory has nothing to sync, one in a file is synced, one without its log says storage", async () => {
  const inMemory = openStore(":memory:", 0);
  inMemory.tx(() => inMemory.events.append({ kind: "gap" }, 0), "soon");
  await inMemory.synced();
  inMemory.close();
  const path = place();
  const store = openStore(path, 0);
  const soon = () => store.tx(() => store.events.append({ kind: "gap" }, 0), "soon");
  soon();
  rmSync(`${path}-wal`);
  expect(await refusal(store.synced())).toMatchObject({
    code: "storage",
    message: expect.stringContaining("confirming what was written"),
  });
  store.close();
  const whole = openStore(place(), 0);
  whole.tx(() => whole.events.append({ kind: "gap" }, 0), "soon");
  await whole.synced();
  whole.close();
});
