/** Any part of a text in a script without spaces is found, with the text around it as it was written. */
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import { joined } from "../../src/base/unspaced.ts";
import type { Hit } from "../../src/core/model/ports/indexed.ts";
import type { Ref } from "../../src/core/model/ports/rows.ts";
import type { Store } from "../../src/core/model/ports/store.ts";
import { queryOf } from "../../src/core/search/query.ts";
import { laneRow } from "../../src/core/state/lanerow.ts";
import { openStore } from "../../src/store/store.ts";
import { registryFolder } from "./files.ts";

const texts = {
  chinese: "我们把部署dispatch服务的脚本移到了新的仓库，请在合并之前先运行所有测试。",
  traditional: "請檢查資料庫連線逾時的原因，並更新設定檔。",
  japanese: "データベースの接続がタイムアウトしたので、設定ファイルを見直してください。",
  narrow: "ﾃﾞｰﾀﾍﾞｰｽのＲｅａｃｔ画面",
  thai: "ที่นี่มีข้อผิดพลาดในการเชื่อมต่อฐานข้อมูล กรุณาลองใหม่อีกครั้ง",
  korean: "웹서버에서 데이터베이스를 재시작했습니다",
  lao: "ສະບາຍດີຊາວໂລກ",
  khmer: "សួស្តីពិភពលោក",
  emoji: "shipped it 🚀 thanks 👍🏽 to 👩🏽‍💻 and 👨‍👩‍👧 in 🇩🇪 ❤️",
};
type Name = keyof typeof texts;
const names = Object.keys(texts) as Name[];

const folder = registryFolder();
let store: Store;
let ref: Ref;

const mint = { ref: () => "b00001", id: () => "" as never };

function put(id: string, text: string): void {
  const place = { lane: ref, turn_id: "t", item_id: id, type: "agent_message" as const };
  store.items.put({ ...place, at: 1_800_000_000_000, text });
}

beforeAll(() => {
  store = openStore(folder.path, 1);
  const lane = laneRow(store, mint, 1, {
    title: "t",
    source: "own",
    settings: { cwd: "/" },
    created_by: "cli",
  });
  store.lanes.add(lane);
  ref = lane.ref;
  for (const name of names) put(name, texts[name]);
});
afterAll(() => {
  store.close();
  folder.dispose();
});

function found(typed: string): Hit[] {
  const all = { lanes: [ref], since: null, until: null, order: "newest", after: null, limit: 100 } as const;
  return store.items.search({ ...all, match: queryOf(typed).match });
}
const ids = (typed: string) =>
  found(typed)
    .map((hit) => hit.item_id)
    .sort();
const shown = (typed: string) => found(typed).map(({ snippet, start, end }) => snippet.slice(start, end));

describe("a part of a clause is found, and shown as it is written", () => {
  const parts: [string, Name][] = [
    ["部署", "chinese"],
    ["dispatch", "chinese"],
    ["服务", "chinese"],
    ["仓", "chinese"],
    ["合并之前", "chinese"],
    ["資料庫", "traditional"],
    ["タイムアウト", "japanese"],
    ["見直して", "japanese"],
    ["ータ", "japanese"],
    ["ฐานข้อมูล", "thai"],
    ["ผิด", "thai"],
    ["서버", "korean"],
    ["데이터", "korean"],
    ["재시작했", "korean"],
    ["ຊາວ", "lao"],
    ["ពិភព", "khmer"],
    ["🚀", "emoji"],
    ["👍", "emoji"],
    ["👍🏽", "emoji"],
    ["👩🏽‍💻", "emoji"],
    ["👨‍👩‍👧", "emoji"],
    ["🇩🇪", "emoji"],
  ];
  for (const [part, name] of parts)
    test(part, () => {
      expect(ids(part)).toContain(name);
      const [hit] = found(part).filter(({ item_id }) => item_id === name);
      expect(hit!.snippet.slice(hit!.start, hit!.end)).toBe(part);
      expect(texts[name].normalize("NFC")).toContain(hit!.snippet.replaceAll("…", ""));
    });
});

test("what is not there is not found: another vowel, another tone of skin, another order", () => {
  for (const absent of ["ฐานข้อมาล", "👍🏿", "署部", "か", "服務", "버서", "🇫🇷"])
    expect(ids(absent)).toEqual([]);
});

test("words of several scripts are wanted all", () => {
  expect(ids("dispatch 测试")).toEqual(["chinese"]);
  expect(ids("🚀 shipped")).toEqual(["emoji"]);
  expect(ids("dispatch 测量")).toEqual([]);
});

test("full and half width, composed and decomposed, find each other", () => {
  expect(ids("データベース")).toEqual(["japanese", "narrow"]);
  expect(ids("ﾃﾞｰﾀﾍﾞｰｽ")).toEqual(["japanese", "narrow"]);
  expect(shown("React")).toEqual(["Ｒｅａｃｔ"]);
  expect(shown("ｄｉｓｐａｔｃｈ")).toEqual(["dispatch"]);
  for (const part of ["データベース", "재시작", "服务"])
    expect(ids(part.normalize("NFD"))).toEqual(ids(part));
  put("decomposed", "か\u3099くせい".concat(" ", "한글날".normalize("NFD")));
  expect(ids("がくせい")).toEqual(["decomposed"]);
  expect(shown("한글")).toEqual(["한글"]);
});

test("the same text again is nothing new, a longer one is, and the counters count what was written", () => {
  const before = store.items.sync(ref)!.bytes;
  const item = { lane: ref, turn_id: "t", type: "plan" as const, at: 1_800_000_000_000 };
  const text = "한글날 축제".normalize("NFD");
  expect(store.items.put({ ...item, item_id: "again", text })).toBe(true);
  expect(store.items.put({ ...item, item_id: "again", text })).toBe(false);
  expect(store.items.put({ ...item, item_id: "again", text: `${text}🎉` })).toBe(true);
  expect(store.items.sync(ref)!.bytes - before).toBe(Buffer.byteLength("한글날 축제🎉"));
  expect(ids("축제🎉")).toEqual(["again"]);
});

/** Every text's parts of two characters and more, as a reader counts them, from a seed. */
function* partsOf(text: string, count: number): Generator<string> {
  const graphemes = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
  let state = 7;
  const below = (most: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * most);
  };
  for (let n = 0; n < count; n++) {
    const from = below(graphemes.length - 1);
    yield graphemes.slice(from, from + 2 + below(graphemes.length - from - 1)).join("");
  }
}

for (const name of names.filter((one) => !["chinese", "narrow", "emoji"].includes(one)))
  test(`any part of the ${name} text finds it`, () => {
    const missed = [...partsOf(texts[name], 300)].filter((part) => {
      const isWord = /[\p{L}\p{N}]/u.test(part);
      return isWord && !ids(`"${part}"`).includes(name);
    });
    expect(missed).toEqual([]);
  });

test("nothing that is typed makes the index throw", () => {
  const pieces = [
    ...names.flatMap((name) => [...texts[name]]),
    '"',
    "*",
    "(",
    " AND ",
    "\x1f",
    "\u{ff44d}",
    "＂",
    "˝",
  ];
  let state = 3;
  for (let n = 0; n < 3000; n++) {
    const typed = Array.from({ length: 1 + (n % 7) }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return pieces[state % pieces.length];
    }).join("");
    try {
      found(typed);
    } catch (thrown) {
      expect(thrown).toMatchObject({ code: "usage" });
    }
  }
});

describe("texts of an older schema", () => {
  const unsplit = () => {
    store.close();
    const db = new Database(folder.path, { strict: true });
    // As the schema before had them: the whole text in both, and as its migration leaves it.
    for (const { id, text } of db
      .query<{ id: number; text: string }, []>("SELECT id, text FROM items")
      .all()) {
      db.query("INSERT INTO items_fts (items_fts, rowid, text, lane) VALUES ('delete', ?, ?, ?)").run(
        id,
        text,
        ref,
      );
      db.query("UPDATE items SET text = ? WHERE id = ?").run(joined(text), id);
      db.query("INSERT INTO items_fts (rowid, text, lane) VALUES (?, ?, ?)").run(id, joined(text), ref);
    }
    db.run("UPDATE meta SET unsplit_after = -1");
    db.close();
    store = openStore(folder.path, 2);
  };

  test("are split in small parts, whatever stops it in between", () => {
    const parts = ["部署", "タイムアウト", "ฐานข้อมูล", "서버", "🚀"];
    const before = parts.map(ids);
    unsplit();
    expect(store.items.isSplit()).toBe(false);
    expect(ids("部署")).toEqual([]);
    let steps = 0;
    for (; !store.items.isSplit(); steps++) {
      store.items.splitOld(2, limits.search.indexSplitBytes);
      store.close();
      store = openStore(folder.path, 3);
    }
    expect(steps).toBeGreaterThan(names.length / 2);
    expect(parts.map(ids)).toEqual(before);
    const db = new Database(folder.path);
    db.run("INSERT INTO items_fts (items_fts, rank) VALUES ('integrity-check', 1)");
    db.close();
  });

  test("no more bytes at a time than are wanted, and a new registry has none", () => {
    unsplit();
    store.items.splitOld(100, 1);
    expect(["部署", "資料庫"].map((part) => ids(part).length)).toEqual([1, 0]);
    while (!store.items.isSplit()) store.items.splitOld(100, limits.search.indexSplitBytes);
    const fresh = openStore(":memory:", 1);
    expect(fresh.items.isSplit()).toBe(true);
    fresh.close();
  });
});
