import { describe, expect, test } from "bun:test";
import { limits } from "../../src/base/limits.ts";
import { printed, reasonOf } from "../../src/codex/printed.ts";

const noise = (count: number) => Array.from({ length: count }, (_, at) => `note ${at}\n`).join("");
const reason = (stderr: string, stdout = "") => reasonOf({ stderr, stdout });

describe("the reason", () => {
  test("is the last lines, without colours and controls", () => {
    const raw = "\u001b[2mold\u001b[0m\n\n\u001b[31mERROR\u001b[0m a\u0007b\nlast\u009b1m\n one\n";
    expect(reason(raw)).toBe("ERROR a b | last 1m | one");
  });

  test.each([
    "Error: failed to load configuration",
    "\u001b[31merror:\u001b[0m no such option",
    "fatal: disk quota exceeded",
    "ERROR: no home",
    "TypeError [ERR_X]: not a function",
    "Error loading configuration: bad",
    "codex: error while loading shared libraries: libfoo.so.1: cannot open shared object file",
    "thread 'main' (1234) panicked at src/main.rs:12:5:",
    "thread '<unnamed>' panicked at src/main.rs:12:5:",
    "panic: runtime error",
  ])("is the line that says so, wherever it is: %p", (line) => {
    const plain = line.replaceAll(/\u001b\[\d+m/g, "");
    expect(reason(`${noise(1000)}${line}\nwhat it means\n${noise(1000)}`)).toBe(
      `${plain} | what it means | note 0`,
    );
    expect(reason(noise(5), `${line}\n${noise(5)}`)).toStartWith(plain);
  });

  test.each([
    "WARNING: proceeding anyway",
    "0 errors",
    "see https://example.com/error: help",
    "error_count: 5",
  ])("is not %p", (line) => {
    expect(reason(`${line}\n${noise(3)}`)).toBe("note 0 | note 1 | note 2");
  });

  test("is the newest of several, and of both streams without one their last lines", () => {
    expect(reason(`error: try again\n${noise(9)}error: gave up\n`)).toBe("error: gave up");
    expect(reason("WARN a\n", "no image\n")).toBe("WARN a | no image");
    expect(reason("")).toBe("");
  });

  test("is what Codex says, without its backtrace", () => {
    const backtrace = "\n\nStack backtrace:\n   0: <unknown>\n   1: <unknown>\n";
    expect(reason(`WARNING: proceeding\nError: no home\n\nCaused by:\n    0: closed${backtrace}`)).toBe(
      "Error: no home | Caused by: | 0: closed",
    );
    expect(reason(`Error: no home${backtrace}`)).toBe("Error: no home");
  });

  test("begins with its beginning, however long the line and what follows", () => {
    expect(reason(`Error: no home ${"x".repeat(1e6)}\n${"y".repeat(1e6)}`)).toBe(
      `Error: no home ${"x".repeat(1e6)}`.slice(0, limits.process.printedCharsMax),
    );
  });
});

test("what a program survived for long is not why it ends", () => {
  let now = 0;
  const output = printed(() => now);
  output.stderr("Error: no server\n");
  output.stdout(new TextEncoder().encode("stopping"));
  now = limits.process.causeMaxMs;
  expect(output.explain("it ended")).toBe("it ended: Error: no server");
  now++;
  expect(output.explain("it ended")).toBe("it ended: Error: no server | stopping");
});

test("a line without an end costs no more than its beginning", () => {
  const output = printed(() => 0);
  const piece = "x".repeat(64 * 1024);
  for (let count = 0; count < 1000; count++) output.stderr(piece);
  expect(output.explain("it ended")).toHaveLength("it ended: ".length + limits.process.printedCharsMax);
});

test("lines are cut at their ends, not at those of the pieces", () => {
  const output = printed(() => 0);
  for (const piece of ["one\nErr", "or: t", "wo\r", "\nthree"]) output.stderr(piece);
  expect(output.explain("it ended")).toBe("it ended: Error: two | three");
});

test("a message of the protocol is never shown, also when other words were printed into its line", () => {
  const output = printed(() => 0);
  output.stdout(Buffer.from('note{"method":"item/completed","params":{"text":"private"}}'));
  output.stdout(Buffer.from('Error: oh{"id":3,"result":{"text":"private"}}'));
  output.stdout(Buffer.from("Error: no space"));
  expect(output.explain("ended")).toBe("ended: Error: no space");
});
