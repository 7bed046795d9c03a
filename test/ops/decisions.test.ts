/** Where a yes is offered, the whole of what it is said to is shown; where not all is shown, a mark says so. */

import { expect, test } from "bun:test";
import { plainLook, toTerminal } from "../../src/base/text.ts";
import type { ThreadView } from "../../src/contract/thread.ts";
import { type ChangeKind, type RequestKind, requestKinds } from "../../src/contract/words.ts";
import type { RequestFacts } from "../../src/core/model/ports/request.ts";
import type { Request as Row } from "../../src/core/model/ports/rows.ts";
import { requestRow } from "../../src/core/requests/requestrow.ts";
import { requestView, requestViews } from "../../src/core/requests/requestview.ts";
import answer from "../../src/ops/request/answer.ts";
import get from "../../src/ops/request/get.ts";
import list from "../../src/ops/request/list.ts";
import replay from "../../src/ops/request/replay.ts";
import { threadPairs } from "../../src/ops/threadpairs.ts";
import { eventLine, summaryOf, threadTable } from "../../src/ops/views.ts";
import { bounded } from "../../src/surface/mcp/bound.ts";
import { laneRow } from "../store/rows.ts";
import { seeded } from "../support/seeded.ts";
import { nothingAsked } from "../world/model.ts";

const look = plainLook(Date.parse("2026-01-01T12:00:00Z"));
const shown = (view: string) => toTerminal(view, { color: false });
const world = { files: { isInside: () => false } } as never;

const rowOf = (facts: RequestFacts): Row => requestRow(world, "rqst01", laneRow(), 1, facts, null, 1);

const nothing: RequestFacts = {
  rpc_id: 1,
  method: "some/method",
  kind: "command_approval",
  thread_id: "thread-1",
  turn_id: null,
  item_id: null,
  command: null,
  cwd: null,
  changes: null,
  asks: nothingAsked,
  auto_resolution_ms: null,
};

const random = seeded(20_261_128);
const upTo = (n: number) => Math.floor(random() * n);
const pick = <T>(all: readonly T[]): T => all[upTo(all.length)]!;

let words = 0;
/** A word that stands nowhere else. */
const word = () => `w${++words}x`;
const separators = [
  " ",
  "  ",
  " ".repeat(300),
  "\t",
  "\n",
  "\n".repeat(60),
  "\u200b",
  "\u202e",
  "\r",
  " '",
  "' ",
];

interface Text {
  text: string;
  words: string[];
  /** What a reader must be told of beside the words. */
  marks: string[];
}

function text(count: number): Text {
  const made: Text = { text: "", words: [], marks: [] };
  for (let at = 0; at < count; at++) {
    const next = word();
    const gap = at === 0 ? "" : pick(separators);
    if (gap.length === 300) made.marks.push("[300 blanks]");
    if (gap === "\u200b") made.marks.push("\\u200b");
    if (gap === "\u202e") made.marks.push("\\u202e");
    if (gap === "\t") made.marks.push("\\t");
    if (gap === "\r") made.marks.push("\\r");
    made.text += gap + next;
    made.words.push(next);
  }
  return made;
}

/** dispatch answers the others itself. */
const ownAnswers: readonly RequestKind[] = ["tool_call", "current_time", "other"];
const kinds = requestKinds.filter((kind) => !ownAnswers.includes(kind));

/** A question, and each text of it that the answer depends on. */
function question(size: number): { facts: RequestFacts; texts: Text[] } {
  const texts: Text[] = [];
  const some = (count = 1 + upTo(size)) => {
    texts.push(text(count));
    return texts.at(-1)!.text;
  };
  /** Inside JSON a newline and a tab are written as such, and the rest is escaped there too. */
  const inJson = () => {
    const one = text(1 + upTo(size));
    texts.push({ ...one, marks: one.marks.filter((mark) => mark.startsWith("[")) });
    return one.text;
  };
  const kind = pick(kinds);
  const asks = { ...nothingAsked, reason: random() < 0.5 ? some() : null };
  const facts: RequestFacts = { ...nothing, kind, asks };
  if (kind === "command_approval") {
    facts.command = some();
    facts.cwd = `/${some(2)}`;
    if (random() < 0.3) asks.network = { host: some(1), protocol: "https" };
    if (random() < 0.3) asks.permissions = { fileSystem: { write: [inJson()] } };
  } else if (kind === "file_change_approval") {
    if (random() < 0.8)
      facts.changes = Array.from({ length: 1 + upTo(size) }, () => {
        const change = pick<ChangeKind>(["add", "delete", "update", "move"]);
        const lines = Array.from({ length: upTo(20) }, word);
        texts.push({ text: "", words: lines, marks: [] });
        const diff = lines.map((line) => `+${line}\n`).join("");
        return { path: `/${some(2)}`, kind: change, to: change === "move" ? `/${some(2)}` : null, diff };
      });
  } else if (kind === "permissions_approval") asks.permissions = { network: { hosts: [inJson(), inJson()] } };
  else if (kind === "mcp_tool_approval")
    asks.tool = {
      server: some(1),
      name: some(1),
      description: some(),
      arguments: { op: inJson(), list: [inJson()] },
    };
  else if (kind === "user_input") {
    const options = [{ label: some(1), description: some(3) }];
    asks.questions = [
      { id: "q1", header: some(1), question: some(), options, is_other: false, is_secret: false },
    ];
  } else if (kind === "elicitation")
    asks.form = {
      mode: "form",
      server: some(1),
      message: some(),
      url: null,
      schema: { properties: { a: { title: inJson() } } },
    };
  else throw new Error(`write here what ${kind} asks`);
  return { facts, texts };
}

const offersYes = (view: string) => /--approve|--reply|--answer/.test(view);

function inOrder(view: string, words: readonly string[]): boolean {
  let at = 0;
  return words.every((one) => {
    at = view.indexOf(one, at);
    return at >= 0;
  });
}

const threadOf = (row: Row) => {
  const { id, kind, summary } = requestView(row);
  const requests = [{ id, kind, summary, asked_at: "2026-01-01T11:00:00Z" }];
  const rest = {
    agents: [],
    warnings: [],
    latest_turn: null,
    tokens: null,
    last_message: null,
    goal: null,
    setup: null,
  };
  const queue = { pending: 0, held: false, reason: null };
  const model = { provider: null, model: "m", effort: null, service_tier: {} };
  return {
    ref: "bcdfgh",
    title: "docs",
    status: "waiting",
    parent_id: null,
    requests,
    queue,
    model,
    ...rest,
  } as unknown as ThreadView;
};

/** Every view that speaks of a question, as a person reads it. */
function viewsOf(row: Row): Record<string, string> {
  const view = requestView(row);
  const past = { ...view, would: "ask" as const, by: null };
  const counts = { total: 1, ask: 1, deny: 0, approve: 0, against: 0 };
  const data = { request: row.id, kind: row.kind, summary: row.summary };
  return {
    "request get": shown(get.view({ ...view }, look)),
    "request answer": shown(answer.view({ ...view }, look)),
    "request list": shown(list.view({ requests: requestViews([row]) }, look)),
    "request replay": shown(
      replay.view({ requests: [past], counts, truncated: false, next_cursor: null }, look),
    ),
    get: shown(threadPairs(threadOf(row), look)),
    list: shown(threadTable([summaryOf(threadOf(row))], look)),
    events: shown(eventLine({ kind: "request.opened", thread: "bcdfgh", data }, look)),
  };
}

test("a view that offers a yes shows every word it is said to, and whatever would hide one", () => {
  let offers = 0;
  for (let round = 0; round < 400; round++) {
    const { facts, texts } = question(pick([1, 4, 30, 400]));
    const views = viewsOf(rowOf(facts));
    for (const [name, view] of Object.entries(views)) {
      if (!offersYes(view)) continue;
      offers++;
      for (const one of texts) {
        expect([name, inOrder(view, one.words)]).toEqual([name, true]);
        for (const mark of one.marks) expect(view).toContain(mark);
      }
    }
    expect(views["get"]).toContain("dispatch request get rqst01");
    expect(views["request list"]).toContain("dispatch request get");
    // No other view than that of the request itself offers a decision.
    for (const name of ["request list", "request replay", "get", "list", "events"])
      expect([name, views[name]!.includes("request answer")]).toEqual([name, false]);
  }
  expect(offers).toBeGreaterThan(600);
});

test("no line of the view is one that the text does not have", () => {
  const diff = `+${"a".repeat(50)} ${"b".repeat(50)} -one\n-two\n`;
  const changes = [{ path: "/repo/a", kind: "update" as const, to: null, diff }];
  const view = viewsOf(rowOf({ ...nothing, kind: "file_change_approval", changes }))["request get"]!;
  expect(view.split("\n").filter((line) => /^\s*-/.test(line) && !line.includes("--deny"))).toEqual([
    "         -two",
  ]);
  const command = `true ${"x".repeat(60)} ${"y".repeat(60)} rm -rf /`;
  expect(viewsOf(rowOf({ ...nothing, command }))["request get"]!.split("\n")).toContain(
    `command  ${command}`,
  );
});

test("a name with blanks is one name", () => {
  const changes = [{ path: "/a to /b", kind: "move" as const, to: "/c, delete /d", diff: "" }];
  const row = rowOf({ ...nothing, kind: "file_change_approval", changes });
  expect(row.summary).toBe('move "/a to /b" to "/c, delete /d"');
  expect(viewsOf(row)["request get"]).toContain('files    move "/a to /b" to "/c, delete /d"');
});

test("blanks do not push a command out of its summary", () => {
  const { summary } = rowOf({ ...nothing, command: `true '${" ".repeat(300)}'; rm -rf /` });
  expect(summary).toBe("true ' … '; rm -rf /");
});

test("what a summary leaves out is marked", () => {
  for (let round = 0; round < 400; round++) {
    const { facts, texts } = question(pick([1, 4, 30]));
    const { summary } = rowOf(facts);
    expect(summary.length).toBeLessThanOrEqual(200);
    const about = facts.changes
      ? facts.changes.flatMap(({ path, to }) => [path, to ?? path].map((name) => /w\d+x/.exec(name)![0]))
      : facts.kind === "command_approval"
        ? texts.find((one) => one.text === facts.command)!.words
        : [];
    if (!about.every((one) => summary.includes(one))) expect(summary).toMatch(/…| and \d+ more$/);
  }
});

test("a request over the limit says how much is missing, and offers no yes", () => {
  const line = (at: number) => `+${"x".repeat(100)} ${at}\n`;
  const diff = Array.from({ length: 20_000 }, (_, at) => line(at)).join("");
  const change = { path: "/repo/large", kind: "update" as const, to: null, diff };
  const patch = rowOf({
    ...nothing,
    kind: "file_change_approval",
    changes: [change, { ...change, path: "/repo/next" }],
  });
  const command = rowOf({ ...nothing, command: `git status ${"x".repeat(300_000)}; rm -rf /` });
  const tool = { server: "s", name: "t", description: null, arguments: "x".repeat(300_000) };
  const call = rowOf({ ...nothing, kind: "mcp_tool_approval", asks: { ...nothingAsked, tool } });
  for (const row of [patch, command, call]) {
    const view = requestView(row);
    expect(view.truncated).toBe(true);
    const text = shown(get.view({ ...view }, look));
    expect(text).toMatch(/missing +(\d+ bytes of it|part of it) were over the limit/);
    expect(text).not.toContain("--approve");
    expect(text).toContain("--deny");
    expect(row.summary.length).toBeLessThanOrEqual(200);
  }
  const view = requestView(patch);
  expect(view.changes!.map(({ path }) => path)).toEqual(["/repo/large", "/repo/next"]);
  // The cut is between two lines, and says how much went.
  const [first] = view.changes!;
  const lines = first!.diff.trimEnd().split("\n");
  const left = Number(/^… \[(\d+) more bytes\]$/.exec(lines.at(-1)!)![1]);
  expect(lines.slice(0, -1).every((one, at) => `${one}\n` === line(at))).toBe(true);
  expect(Buffer.byteLength(lines.slice(0, -1).join("\n")) + 1 + left).toBe(Buffer.byteLength(diff));
  expect(view.missing_bytes).toBeGreaterThanOrEqual(left);
});

test("a list of large requests fits an answer, and marks what it cut", () => {
  const diff = `+${"y".repeat(90)}\n`.repeat(8000);
  const row = rowOf({
    ...nothing,
    kind: "file_change_approval",
    changes: [{ path: "/repo/a", kind: "delete", to: null, diff }],
  });
  const requests = requestViews(Array.from({ length: 1000 }, () => row));
  expect(Buffer.byteLength(JSON.stringify({ requests }))).toBeLessThan(8 * 1024 * 1024);
  expect(requests.every(({ truncated, changes }) => truncated && changes![0]!.path === "/repo/a")).toBe(true);
  expect(requests[0]!.missing_bytes).toBe(0);
});

test("a result for an agent marks each text that it cuts", () => {
  const diff = Array.from({ length: 20_000 }, (_, at) => `+${at}\n`).join("");
  const row = rowOf({
    ...nothing,
    kind: "file_change_approval",
    changes: [{ path: "/repo/a", kind: "add", to: null, diff }],
  });
  const { result, isCut } = bounded({ ...requestView(row) });
  expect(isCut).toBe(true);
  expect(JSON.stringify(result)).toContain("more characters]");
});
