import { expect, test } from "bun:test";
import { edited, editorWith, emptyEditor, windowOf } from "../../../src/surface/top/editor.ts";
import { keysIn } from "../../../src/surface/top/keys.ts";

const names = (typed: string, isLast = false) => keysIn(typed, isLast).keys.map(({ name }) => name);

test("arrows and the other keys are known in every terminal's spelling", () => {
  expect(names("\x1b[A\x1b[B\x1bOA\x1b[1;5C")).toEqual(["up", "down", "up", "right"]);
  expect(names("\x1b[H\x1b[1~\x1bOH\x1b[7~")).toEqual(["home", "home", "home", "home"]);
  expect(names("\x1b[5~\x1b[6~\x1b[F\x1b[4~\x1b[3~")).toEqual(["pageup", "pagedown", "end", "end", "delete"]);
  expect(names("\r\n\t\x7f\b\x03\x1a")).toEqual([
    "enter",
    "enter",
    "tab",
    "backspace",
    "backspace",
    "ctrl-c",
    "ctrl-z",
  ]);
});

test("a sequence that comes in two reads is one key, and a lone escape is escape", () => {
  expect(keysIn("a\x1b", false)).toEqual({ keys: [{ name: "a", text: "a" }], rest: "\x1b" });
  expect(keysIn("\x1b[", false)).toEqual({ keys: [], rest: "\x1b[" });
  expect(names("\x1b[A")).toEqual(["up"]);
  expect(names("\x1b", true)).toEqual(["escape"]);
  expect(names("\x1bq", false)).toEqual(["escape", "q"]);
});

test("an unknown sequence types nothing", () => {
  expect(names("\x1b[99;5uq\x1b[?62;c")).toEqual(["q"]);
});

test("a paste is one text, also over several reads, and its newlines send nothing", () => {
  const begun = keysIn("\x1b[200~one\r\ntwo", false);
  expect(begun.keys).toEqual([]);
  expect(keysIn(`${begun.rest} x\x1b[201~q`, false).keys).toEqual([
    { name: "paste", text: "one\ntwo x" },
    { name: "q", text: "q" },
  ]);
});

test("the editor moves and deletes by visible characters", () => {
  let editor = editorWith("a👨‍👩‍👧é");
  const press = (name: string, text?: string) => {
    editor = edited(editor, text === undefined ? { name } : { name, text }) as typeof editor;
  };
  press("left");
  press("left");
  expect(editor.at).toBe(1);
  press("delete");
  expect(editor.text).toBe("aé");
  press("b", "b");
  expect(editor).toEqual({ text: "abé", at: 2 });
  press("ctrl-w");
  expect(editor).toEqual({ text: "é", at: 0 });
  press("end");
  press("backspace");
  expect(editor).toEqual(emptyEditor);
});

test("a text over the limit is not taken, and what is there stays", () => {
  expect(edited(editorWith("x".repeat(65_536)), { name: "y", text: "y" })).toBe("full");
});

test("the window shows the end of a long text with the cursor in it, and hides a secret", () => {
  const { shown, cursor } = windowOf(editorWith(`${"日".repeat(30)}x`), 11);
  expect(shown).toBe("日日日日x");
  expect(cursor).toBe(9);
  expect(windowOf(editorWith("pass\nword"), 20).shown).toBe("pass↵word");
  expect(windowOf(editorWith("password"), 20, true)).toEqual({ shown: "********", cursor: 8 });
  expect(windowOf(editorWith("a\u202eb\x1b"), 40).shown).toBe("a\\u202eb\\u001b");
});
