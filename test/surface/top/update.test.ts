/** What keys and events do to the board. */
import { describe, expect, test } from "bun:test";
import { limits } from "../../../src/base/limits.ts";
import { rowsOf, selected } from "../../../src/surface/top/model.ts";
import { asking, busy, driven, now, requestOf, secondsAgo, threadOf } from "./given.ts";

const titles = (on: ReturnType<typeof driven>) => rowsOf(on.board).map(({ thread }) => thread.title);
const error = { code: "conflict", message: "no", hint: "dispatch get x", retry: "no", data: null } as const;

describe("the order", () => {
  test("is what asks, blocked, failed, held, busy, and the rest by activity", () => {
    const on = driven([
      threadOf("old", { updated_at: secondsAgo(900) }),
      threadOf("gone", { status: "gone", updated_at: secondsAgo(0) }),
      threadOf("new", { updated_at: secondsAgo(3) }),
      busy("works", 100),
      threadOf("held", { queue: { pending: 2, held: true, reason: "stopped", release: "r" } }),
      threadOf("failed", { status: "error" }),
      threadOf("blocked", { status: "blocked", blocked: { reason: "why", hint: "do" } }),
      asking("asks", 5, "r1"),
      asking("asks longer", 50, "r2"),
    ]);
    expect(titles(on)).toEqual([
      "asks longer",
      "asks",
      "blocked",
      "failed",
      "held",
      "works",
      "new",
      "old",
      "gone",
    ]);
  });

  test("has children under their parents, and a family where its most urgent member is", () => {
    const on = driven([
      busy("alone", 5),
      threadOf("parent", { id: "P" }),
      threadOf("made", { created_by: "P", updated_at: secondsAgo(1) }),
      { ...asking("spawned", 5), parent_id: "P" },
    ]);
    expect(titles(on)).toEqual(["parent", "spawned", "made", "alone"]);
    expect(rowsOf(on.board).map(({ depth }) => depth)).toEqual([0, 1, 1, 0]);
    expect(on.lines()[3]).toContain("└ spawned");
  });

  test("survives threads that are each other's parents", () => {
    const on = driven([threadOf("a", { parent_id: "id-b" }), threadOf("b", { parent_id: "id-a" })]);
    expect(titles(on)).toHaveLength(2);
  });

  test("stays while the cursor is on a row, and moves again after esc", () => {
    const on = driven([busy("one", 10), busy("two", 20), threadOf("three")]);
    on.press("down");
    on.happen({ is: "changed", threads: [asking("three", 1)], gone: [] });
    on.happen({ is: "changed", threads: [asking("four", 1, "r4")], gone: [] });
    expect(titles(on)).toEqual(["one", "two", "three", "four"]);
    expect(selected(on.board)?.title).toBe("two");
    on.press("escape").happen({ is: "tick" });
    expect(titles(on).slice(0, 2).toSorted()).toEqual(["four", "three"]);
  });

  test("moves again when no key came for a while, and the cursor stays on its thread", () => {
    const on = driven([busy("one", 10), threadOf("two")]).press("down");
    on.happen({ is: "changed", threads: [busy("one", 10)], gone: [] });
    on.happen({ is: "changed", threads: [asking("late", 1)], gone: [] });
    on.happen({ is: "tick" }, now + limits.top.orderKeptMs);
    expect(titles(on)[0]).toBe("late");
    expect(selected(on.board)?.title).toBe("two");
  });
});

test("what an agent says is on its row, and a thread that is not on the board stays away", () => {
  const at = "2026-01-01T00:00:00.000Z";
  const said = (ref: string) => ({ ref, text: "half of it", truncated: false, turn_id: "turn", at });
  const on = driven([busy("one", 10)]).happen({ is: "said", messages: [said("onexxx"), said("other")] });
  expect(on.lines().join("\n")).toContain("half of it");
  expect(titles(on)).toEqual(["one"]);
});

test("the cursor moves by rows and pages and ends at the ends, and its row is shown", () => {
  const on = driven(
    Array.from({ length: 100 }, (_, at) => threadOf(`t${at}`, { updated_at: secondsAgo(at) })),
  );
  const at = () => selected(on.board)?.title;
  expect(at()).toBe("t0");
  expect(on.press("j", "j", "k").board.cursor).toContain("t1");
  on.press("end");
  expect(at()).toBe("t99");
  expect(on.lines().join("\n")).toContain("> idle");
  on.press("down", "pageup");
  expect(at()).toBe("t81");
  on.press("home");
  expect(on.board.scroll).toBe(0);
});

test("a filter leaves what has it in title, ref, folder or status; esc shows all again", () => {
  const on = driven([threadOf("alpha"), threadOf("beta", { cwd: "/srv/ALPHA" }), busy("gamma", 1)]);
  on.press("/").type("alp");
  expect(titles(on)).toEqual(["alpha", "beta"]);
  expect(on.lines()[0]).toContain("/alp 2 of 3");
  on.press("enter");
  expect(on.board.dialog).toBeNull();
  on.press("escape", "/").type("busy").press("enter");
  expect(titles(on)).toEqual(["gamma"]);
  // A letter of the filter is no command, and q is one again afterwards.
  expect(on.press("q").effects).toEqual([{ do: "quit" }]);
});

describe("an answer", () => {
  const open = (request = requestOf(), size?: { columns: number; rows: number }) => {
    const on = driven([asking("asks", 9)], size).press("a");
    expect(on.effects).toEqual([{ do: "request", ref: "asksxx", id: "req001" }]);
    return on.happen({ is: "request", request });
  };

  test("is given to what is shown whole, by the key of its option", () => {
    const on = open();
    expect(on.lines().join("\n")).toContain("command  npm test");
    expect(on.lines().at(-1)).toContain("y approve  s approve for the session  n deny  c cancel the turn");
    on.press("y");
    expect(on.effects).toEqual([{ do: "answer", id: "req001", input: { approve: true } }]);
    // The key is not taken twice.
    expect(on.press("y").effects).toEqual([]);
    on.happen({ is: "done", text: "req001: approve" });
    expect(on.board.dialog).toBeNull();
    expect(on.lines().join("\n")).toContain("req001: approve");
  });

  test("approves nothing before its end was on the screen; a refusal is taken at once", () => {
    const diff = Array.from({ length: 200 }, (_, at) => `+line ${at}`).join("\n");
    const on = open(requestOf({ kind: "file_change_approval", command: null, diff }));
    expect(on.press("y").effects).toEqual([]);
    expect(on.lines().at(-2)).toContain("read it to its end first");
    expect(on.press("end").lines().join("\n")).toContain("+line 199");
    expect(on.press("home", "y").effects).toHaveLength(1);
    expect(open(requestOf({ diff })).press("n").effects).toEqual([
      { do: "answer", id: "req001", input: { deny: true } },
    ]);
  });

  test("is not approved here when a part of the request is missing", () => {
    const on = open(requestOf({ truncated: true, missing_bytes: 7 }));
    expect(on.lines().at(-1)).not.toContain("approve");
    expect(on.press("y").effects).toEqual([]);
  });

  test("that fails is shown with its hint, and the request stays", () => {
    const on = open().press("n").happen({ is: "failed", error });
    expect(on.lines().at(-2)).toContain("error: no  dispatch get x");
    expect(on.board.dialog).toMatchObject({ is: "answer", isSending: false });
  });

  test("to a question is one of its labels, a text, or JSON", () => {
    const question = {
      id: "q1",
      header: "",
      question: "Which one?",
      options: [
        { label: "A", description: "the first" },
        { label: "B", description: "the second" },
      ],
      is_other: true,
      is_secret: false,
    };
    const asked = requestOf({
      kind: "user_input",
      command: null,
      questions: [question],
      options: ["reply", "answer", "deny"],
    });
    expect(open(asked).press("2").effects).toEqual([{ do: "answer", id: "req001", input: { reply: "B" } }]);
    expect(open(asked).press("r").type("C, y").press("enter").effects).toEqual([
      { do: "answer", id: "req001", input: { reply: "C, y" } },
    ]);
    expect(open(asked).press("e", "enter").effects).toEqual([
      { do: "answer", id: "req001", input: { answer: '{"q1":""}' } },
    ]);
    const failed = open(asked).press("r").type("C").press("enter").happen({ is: "failed", error });
    expect(failed.board.dialog).toMatchObject({ reply: { editor: { text: "C" } } });
    const secret = open({ ...asked, questions: [{ ...question, is_secret: true }] });
    expect(secret.press("r").type("hunter2").lines().at(-1)).toBe("> *******");
  });

  test("a thread that asks nothing says so", () => {
    expect(
      driven([threadOf("calm")])
        .press("a")
        .lines()
        .at(-2),
    ).toBe("this thread asks nothing");
  });
});

describe("a text", () => {
  test("goes to an idle thread at once, and the editor keeps it until it is accepted", () => {
    const on = driven([threadOf("calm")])
      .press("s")
      .type("do it, q")
      .press("enter");
    expect(on.effects).toEqual([{ do: "send", ref: "calmxx", text: "do it, q", mode: "send" }]);
    on.happen({ is: "failed", error });
    expect(on.lines().at(-1)).toBe("> do it, q");
    expect(on.lines().at(-3)).toBe("error: no  dispatch get x");
    on.press("enter").happen({ is: "done", text: "accepted: queued" });
    expect(on.board.dialog).toBeNull();
  });

  test("to a busy thread is queued or steered; esc goes back to the text", () => {
    const on = driven([busy("works", 5)])
      .press("s")
      .type("more")
      .press("enter");
    expect(on.effects).toEqual([]);
    expect(on.lines().at(-1)).toContain("q queue it  t steer the turn  esc edit");
    on.press("escape").type("!").press("enter", "t");
    expect(on.effects).toEqual([{ do: "send", ref: "worksx", text: "more!", mode: "steer" }]);
  });

  test("that finds the thread busy meanwhile asks how", () => {
    const on = driven([threadOf("calm")])
      .press("s")
      .type("x")
      .press("enter");
    on.happen({ is: "failed", error: { ...error, code: "thread_busy" } });
    expect(on.press("q").effects).toEqual([{ do: "send", ref: "calmxx", text: "x", mode: "queue" }]);
  });

  test("of nothing is not sent, and a paste with newlines is one text", () => {
    const on = driven([threadOf("calm")]).press("s", " ", "enter");
    expect(on.effects).toEqual([]);
    on.happen({ is: "key", key: { name: "paste", text: "a\nb" } });
    expect(on.press("enter").effects).toEqual([{ do: "send", ref: "calmxx", text: " a\nb", mode: "send" }]);
  });
});

test("stop asks first, and only where a turn runs", () => {
  const on = driven([busy("works", 5), threadOf("calm")]).press("x");
  expect(on.lines().at(-1)).toContain("stop the turn of works?");
  expect(on.press("n").effects).toEqual([]);
  expect(on.press("x", "y").effects).toEqual([{ do: "stop", ref: "worksx" }]);
  on.happen({ is: "done", text: "worksx: stopped" });
  expect(on.press("down", "x").lines().at(-2)).toBe("no turn runs in this thread");
});

test("enter opens the thread, which follows what comes; esc goes back; a lost thread closes its page", () => {
  const item = (n: number, more = {}) => ({
    turn_id: "t",
    item_id: `i${n}`,
    type: "agent_message",
    text: `message ${n}`,
    command: null,
    exit_code: null,
    arguments: null,
    changes: null,
    path: null,
    status: null,
    at: secondsAgo(5),
    ...more,
  });
  const on = driven([busy("works", 65)]).press("enter");
  expect(on.effects).toEqual([{ do: "tail", ref: "worksx" }]);
  const items = Array.from({ length: 50 }, (_, n) => item(n));
  const ran = { type: "command", text: "out", command: "npm test", exit_code: 2 };
  const change = {
    type: "file_change",
    text: "",
    changes: [{ path: "src/a b.ts", kind: "update", to: null }],
  };
  on.happen({ is: "tail", ref: "worksx", items: [...items, item(50, ran), item(51, change)] });
  const shown = on.lines().join("\n");
  expect(shown).toContain("ran    npm test  exit 2");
  expect(shown).toContain('files  update "src/a b.ts"');
  expect(shown).toContain("1:05 working");
  expect(shown).not.toContain("message 1\n");
  expect(on.press("home").lines().join("\n")).toContain("message 0");
  on.press("end").happen({ is: "tail", ref: "worksx", items: [...items, item(52)] });
  expect(on.lines().join("\n")).toContain("message 52");
  on.happen({ is: "tail", ref: "other", items: [] });
  expect(on.lines().join("\n")).toContain("message 52");
  expect(on.press("s").board.dialog).toMatchObject({ is: "send", ref: "worksx" });
  on.press("escape").happen({ is: "changed", threads: [], gone: ["worksx"] });
  expect(on.board.open).toBeNull();
});

test("Ctrl-C quits from everywhere, Ctrl-Z suspends", () => {
  const on = driven([busy("works", 5)])
    .press("s")
    .type("text");
  expect(on.press("ctrl-z").effects).toEqual([{ do: "suspend" }]);
  expect(on.lines().at(-1)).toBe("> text");
  expect(on.press("ctrl-c").effects).toEqual([{ do: "quit" }]);
});
