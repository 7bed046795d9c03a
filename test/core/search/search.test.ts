/** Words in, places out: the local index, and Codex's own search for what is not in it. */
import { describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import type { ItemFacts, TurnFacts } from "../../../src/core/model/ports/thread.ts";
import type { Found } from "../../../src/core/search/search.ts";
import type { Search } from "../../../src/core/search/types.ts";
import { until } from "../../support/codex-sink.ts";
import { never, type Rig, refusal, rig, waiting } from "../rig.ts";

const anything: Omit<Search, "text"> = {
  scope: "all",
  thread: null,
  repo: null,
  dir: null,
  archived: false,
  since: null,
  until: null,
  dateField: "at",
  sort: "date",
  ascending: false,
  limit: 20,
  cursor: null,
};

function finding({ world }: Rig): (text: string, over?: Partial<Search>) => Promise<Found> {
  return (text, over = {}) => world.engine.core.search({ ...anything, ...over, text });
}

/** Says it and waits for the answer to be in. */
async function said(at: Rig, text: string): Promise<void> {
  const sent = await at.send(text);
  await at.reaches(sent, "done");
}

const snippets = ({ matches }: Found) => matches.map((match) => match.snippet);

async function everyPage(find: (cursor: string | null) => Promise<Found>): Promise<Found[]> {
  const pages: Found[] = [];
  for (let cursor: string | null = null; ; cursor = pages.at(-1)!.next_cursor) {
    pages.push(await find(cursor));
    if (pages.at(-1)!.next_cursor === null) return pages;
  }
}

test("a message is found at once, with the position of the hit", async () => {
  const at = await rig();
  await said(at, "where the zebra lives");
  const { matches, truncated, note } = await finding(at)("ZEBRA");
  expect(matches).toMatchObject([
    { ref: at.ref, title: "docs", cwd: "/repo", type: "agent_message", source: "index" },
    { ref: at.ref, type: "user_message", snippet: "where the zebra lives" },
  ]);
  const { snippet, hit } = matches[1]!;
  expect(snippet.slice(hit!.start, hit!.end)).toBe("zebra");
  expect(matches[1]!.turn_id).toBe(at.view().latest_turn!.id);
  expect({ truncated, note }).toEqual({ truncated: false, note: null });
});

test("all words must occur, in any order; a phrase as it is written", async () => {
  const at = await rig();
  await said(at, "red fish, blue fish");
  const find = finding(at);
  expect((await find("fish blue")).matches).toHaveLength(2);
  expect((await find('"red fish"')).matches).toHaveLength(2);
  expect((await find('"fish red"')).matches).toHaveLength(0);
  expect((await find("fish cow")).matches).toHaveLength(0);
});

describe("nothing typed is read as syntax", () => {
  const typed = [
    'a" OR "b',
    '"',
    'fish"',
    "fish*",
    "NEAR(fish blue, 2)",
    "text : fish",
    "lane:fish",
    "{text}: fish",
    "-fish",
    "^fish",
    "fish AND",
    "NOT fish",
    "(fish",
    "fish + blue",
    "'; DROP TABLE items; --",
    "fish\u0000blue",
    "fish \ud800",
    "%_\\",
    "a:b:c",
  ];
  for (const text of typed) {
    test(JSON.stringify(text), async () => {
      const at = await rig();
      await said(at, "red fish, blue fish");
      const found = finding(at)(text).catch((thrown: unknown) => thrown as { code: string });
      const answer = await found;
      if ("code" in answer) expect(answer.code).toBe("usage");
      else expect(answer.matches.every((match) => match.source === "index")).toBe(true);
      expect((await finding(at)("fish")).matches).toHaveLength(2);
    });
  }

  test("a lane's name is no way around the choice of lanes", async () => {
    const at = await rig();
    await said(at, "fish");
    expect((await finding(at)(at.ref)).matches).toHaveLength(0);
  });
});

test("what has no word in it is refused, and so are more words than a person types", async () => {
  const at = await rig();
  for (const text of ["-- !", "。", "、「」", "\u200d\ufe0f"]) {
    const refused = await refusal(finding(at)(text));
    expect(refused).toMatchObject({ code: "usage", hint: expect.stringContaining("dispatch search") });
  }
  expect((await refusal(finding(at)("a ".repeat(100)))).code).toBe("usage");
});

describe("scripts without spaces", () => {
  const text = "部署dispatch服务 🚀 データベース ที่นี่ 웹서버에서";

  test("any part is found, with the position of the hit in the original text", async () => {
    const at = await rig();
    await said(at, text);
    for (const part of ["部署", "署", "dispatch", "服务", "🚀", "ベース", "นี่", "서버", "服务 🚀"])
      for (const sort of ["date", "relevance"] as const) {
        const { matches } = await finding(at)(part, { sort });
        expect(matches.map((match) => match.snippet)).toContain(text);
        const { snippet, hit } = matches[0]!;
        expect(snippet.slice(hit!.start, hit!.end)).toBe(part.split(" ")[0]!);
      }
  });

  test("filters and pages cut them like all others", async () => {
    const at = await rig();
    for (let i = 0; i < 3; i++) {
      at.clock.jump(60_000);
      await said(at, `第${i}次部署`);
    }
    const find = finding(at);
    const pages = await everyPage((cursor) => find("部署", { limit: 2, cursor }));
    expect(pages.flatMap(snippets)).toHaveLength(6);
    expect(snippets(await find("部署", { since: at.clock.now() - 30_000 }))).toEqual([
      "ok: 第2次部署",
      "第2次部署",
    ]);
    expect((await find("部署", { until: at.clock.now() - 30_000 })).matches).toHaveLength(4);
    expect((await find("部署", { scope: "unmanaged" })).matches).toEqual([]);
    expect((await find("部署", { dir: "/elsewhere" })).matches).toEqual([]);
  });

  test("Codex is asked for them as they were typed, each place once", async () => {
    const at = await rig();
    const theirs = at.world.agent.madeElsewhere("theirs", text);
    const { core } = at.world.engine;
    for (const part of ["部署", "🚀", "서버"]) {
      const { matches } = await finding(at)(part);
      expect(matches).toMatchObject([{ id: theirs, source: "codex" }]);
    }
    const ref = await core.attach(theirs, "cli");
    await core.sync(ref, { turns: null, items: null, bytes: null, ms: null }, never());
    expect((await finding(at)("部署")).matches.map((match) => match.source)).toEqual(["index", "index"]);
  });

  test("what an older schema left is split after the start, and until then the answer says so", async () => {
    const at = await rig();
    await said(at, "fish 部署");
    const { items } = at.world.store;
    const [isSplit, splitOld] = [items.isSplit, items.splitOld];
    let left = 3;
    let isFull = false;
    items.isSplit = () => left === 0;
    items.splitOld = () => {
      if (left === 2) isFull = true;
      if (isFull) throw new Error("the disk is full");
      left--;
    };
    const partial = await finding(at)("fish");
    expect(partial).toMatchObject({ truncated: true, note: expect.stringContaining("being indexed") });
    expect(partial.matches).toHaveLength(2);
    at.world.engine.begin();
    await until("the disk is full", () => isFull);
    expect((await finding(at)("fish")).truncated).toBe(true);
    isFull = false;
    items.splitOld = () => void left--;
    await at.clock.advance(limits.search.indexSplitEveryMs);
    await until("all is split", () => left === 0);
    expect(await finding(at)("fish")).toMatchObject({ truncated: false, note: null });
    Object.assign(items, { isSplit, splitOld });
  });
});

test("pages go on exactly where the last one ended, newest or oldest first", async () => {
  const at = await rig();
  for (let i = 0; i < 7; i++) {
    at.clock.jump(1000);
    await said(at, `fish ${i}`);
  }
  for (const ascending of [false, true]) {
    const pages = await everyPage((cursor) => finding(at)("fish", { limit: 3, cursor, ascending }));
    const all = pages.flatMap(({ matches }) => matches);
    expect(all).toHaveLength(14);
    expect(new Set(all.map((match) => match.item_id)).size).toBe(14);
    const times = all.map((match) => Date.parse(match.at));
    expect(times).toEqual(times.toSorted((a, b) => (ascending ? a - b : b - a)));
  }
  const best = await everyPage((cursor) => finding(at)("fish", { limit: 4, cursor, sort: "relevance" }));
  expect(new Set(best.flatMap(({ matches }) => matches.map((match) => match.item_id))).size).toBe(14);
});

test("a hit that comes between two pages by relevance doubles and hides no other", async () => {
  const at = await rig();
  for (let i = 0; i < 6; i++) await said(at, `${"fish ".repeat(i + 1)} ${i}`);
  const whole = await finding(at)("fish", { limit: 100, sort: "relevance" });
  let late = 0;
  const pages = await everyPage(async (cursor) => {
    const page = await finding(at)("fish", { limit: 4, cursor, sort: "relevance" });
    await said(at, `fish fish fish fish fish ${late++}`);
    return page;
  });
  const ids = (found: Found) => found.matches.map((match) => match.item_id);
  expect(pages.flatMap(ids)).toEqual(ids(whole));
  expect(pages.length).toBeGreaterThan(2);
});

test("the cursor of another search is refused", async () => {
  const at = await rig();
  for (let i = 0; i < 3; i++) await said(at, `fish and chips ${i}`);
  const { next_cursor: cursor } = await finding(at)("fish", { limit: 2 });
  expect((await refusal(finding(at)("chips", { cursor }))).code).toBe("usage");
  expect((await finding(at)("fish", { cursor, limit: 3 })).matches).toHaveLength(3);
});

test("since and until filter by the time of the item, or by the thread's own date", async () => {
  const at = await rig();
  await said(at, "fish one");
  at.clock.jump(60_000);
  const between = at.clock.now() - 1000;
  await said(at, "fish two");
  const find = finding(at);
  expect(snippets(await find("fish", { since: between }))).toEqual(["ok: fish two", "fish two"]);
  expect(snippets(await find("fish", { until: between }))).toEqual(["ok: fish one", "fish one"]);
  expect((await find("fish", { since: between, dateField: "created_at" })).matches).toEqual([]);
  expect((await find("fish", { until: between, dateField: "created_at" })).matches).toHaveLength(4);
});

test("a directory is one at or below it, never one that only begins alike", async () => {
  const at = await rig();
  await said(at, "fish");
  at.world.store.lanes.set(at.ref, { cwd: "/repo/sub" });
  const count = async (over: Partial<Search>) =>
    (await finding(at)("fish", { ...over, scope: "managed" })).matches.length;
  expect(await count({ dir: "/repo" })).toBe(2);
  expect(await count({ dir: "/repo/sub/" })).toBe(2);
  expect(await count({ dir: "/repo/su" })).toBe(0);
  expect(await count({ dir: "/" })).toBe(2);
  expect(await count({ repo: "/repo/other/place" })).toBe(2);
  expect((await refusal(finding(at)("fish", { repo: "/elsewhere" }))).code).toBe("usage");
  expect((await refusal(finding(at)("fish", { repo: "/repo", dir: "/repo" }))).code).toBe("usage");
});

test("an archived thread is found only where it is asked for, a forgotten one never", async () => {
  const at = await rig();
  await said(at, "fish");
  const find = finding(at);
  await at.world.engine.core.archive({ ref: at.ref });
  expect((await find("fish")).matches).toHaveLength(0);
  expect((await find("fish", { archived: true })).matches).toHaveLength(2);
  await at.world.engine.core.forget(at.ref);
  expect((await find("fish", { archived: true, scope: "managed" })).matches).toHaveLength(0);
  expect(at.world.store.items.dropForgotten(100)).toBe(2);
});

describe("Codex's own search joins for what is not indexed", () => {
  test("one match a thread, with the place in it, after all of the index", async () => {
    const at = await rig();
    await said(at, "fish at home");
    const theirs = at.world.agent.madeElsewhere("theirs", "fish abroad");
    const { matches } = await finding(at)("fish");
    expect(matches.map((match) => match.source)).toEqual(["index", "index", "codex"]);
    expect(matches[2]).toMatchObject({ ref: null, id: theirs, title: "theirs" });
    expect(matches[2]!.turn_id).not.toBeNull();
    const pages = await everyPage((cursor) => finding(at)("fish", { limit: 2, cursor }));
    expect(pages.map((page) => page.matches.map((match) => match.source))).toEqual([
      ["index", "index"],
      ["codex"],
    ]);
  });

  test("a thread that began after --until, or ended before --since, is not found by Codex either", async () => {
    const at = await rig();
    const theirs = at.world.agent.madeElsewhere("theirs", "fish abroad");
    const { created_at, updated_at } = await at.world.agent.readThread(theirs);
    const find = finding(at);
    const hits = async (over: Partial<Search>) => (await find("fish", over)).matches.length;
    for (const thread of [null, { threadId: theirs }]) {
      expect(await hits({ thread, until: created_at - 1 })).toBe(0);
      expect(await hits({ thread, since: updated_at + 1 })).toBe(0);
      expect(await hits({ thread })).toBeGreaterThan(0);
    }
  });

  test("managed and unmanaged part them", async () => {
    const at = await rig();
    await said(at, "fish at home");
    at.world.agent.madeElsewhere("theirs", "fish abroad");
    const sources = async (scope: Search["scope"]) =>
      (await finding(at)("fish", { scope })).matches.map((match) => match.source);
    expect(await sources("managed")).toEqual(["index", "index"]);
    expect(await sources("unmanaged")).toEqual(["codex"]);
  });

  test("an attached thread is found by Codex until it was synced, and then by the index, never twice", async () => {
    const at = await rig();
    const theirs = at.world.agent.madeElsewhere("theirs", "fish abroad");
    const { core } = at.world.engine;
    const ref = await core.attach(theirs, "cli");
    const before = await finding(at)("fish");
    expect(before.matches).toMatchObject([{ ref, source: "codex" }]);
    await core.sync(ref, { turns: null, items: null, bytes: null, ms: null }, never());
    const after = await finding(at)("fish");
    expect(after.matches.map((match) => match.source)).toEqual(["index", "index"]);
    expect(new Set(after.matches.map((match) => match.item_id)).size).toBe(2);
  });

  test("in one thread every match is returned, managed or not", async () => {
    const at = await rig();
    const theirs = at.world.agent.madeElsewhere("theirs", "fish abroad");
    const { matches } = await finding(at)("fish", { thread: { threadId: theirs } });
    expect(matches).toHaveLength(2);
    await said(at, "fish at home");
    const home = await finding(at)("fish", { thread: { ref: at.ref } });
    expect(home.matches.map((match) => match.ref)).toEqual([at.ref, at.ref]);
  });

  test("Codex down: the index answers, and says what is missing", async () => {
    const at = await rig();
    await said(at, "fish");
    at.world.agent.kill();
    const { matches, truncated, note } = await finding(at)("fish");
    expect(matches).toHaveLength(2);
    expect(truncated).toBe(true);
    expect(note).toContain("only the local index");
  });
});

test("commands with their output, file changes and the reason of a failure are found; thoughts are not", async () => {
  const at = await rig();
  const sent = await at.send(waiting);
  await at.reaches(sent, "delivered");
  const thread_id = at.view().id!;
  const turn_id = at.view().latest_turn!.id;
  const none = {
    text: "",
    command: null,
    exit_code: null,
    arguments: null,
    path: null,
    changes: null,
    status: null,
    client_id: null,
    at: null,
  };
  const items: ItemFacts[] = [
    { ...none, id: "c", type: "command", command: "ls zoo", text: "zebra\ntapir" },
    { ...none, id: "g", type: "command", command: "bun test", text: "\u001b[1;31mlemur\u001b[0m failed" },
    { ...none, id: "f", type: "file_change", path: "/repo/zoo.ts", text: "+ okapi" },
    { ...none, id: "r", type: "reasoning", text: "zebra crossing thoughts" },
    { ...none, id: "big", type: "command", command: "yes", text: `${"y\n".repeat(50_000)}the last quagga` },
  ];
  for (const item of items) at.world.agent.tell({ kind: "item_completed", thread_id, turn_id, item });
  const error = { message: "the model ran out of giraffes", kind: "other" };
  const turn: TurnFacts = { id: turn_id, status: "failed", error, started_at: 1, completed_at: 2, items: [] };
  at.world.agent.tell({ kind: "turn_completed", thread_id, turn });
  const types = async (text: string) =>
    (await finding(at)(text, { scope: "managed" })).matches.map((match) => match.type).join();
  await until("it is told", () => at.view().latest_turn?.status === "failed");
  expect(await types("tapir")).toBe("command");
  expect(await types("ls zoo")).toBe("command");
  expect(await types("lemur")).toBe("command");
  expect(await types("zoo.ts")).toBe("file_change");
  expect(await types("okapi")).toBe("file_change");
  expect(await types("crossing")).toBe("");
  expect(await types("quagga")).toBe("command");
  expect(await types("giraffes")).toBe("error");
});

test("a cursor of something else is refused", async () => {
  const at = await rig();
  for (const cursor of [
    "nonsense",
    Buffer.from('{"in":"index","after":"1"}').toString("base64url"),
    "bnVsbA",
  ]) {
    expect((await refusal(finding(at)("fish", { cursor }))).code).toBe("usage");
  }
});
