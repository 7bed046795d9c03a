/** What reaches the terminal: only what changed, never more than one frame behind, and the way back. */
import { expect, test } from "bun:test";
import { systemClock } from "../../../src/base/clock.ts";
import { paint } from "../../../src/base/text.ts";
import { difference, enterScreen, frameOf, leaveScreen } from "../../../src/surface/top/frame.ts";
import { openScreen } from "../../../src/surface/top/screen.ts";

const picture = (...lines: string[]) => ({ lines, cursor: null });
const frame = (...lines: string[]) => frameOf(picture(...lines), 10, true);

test("only lines that differ are drawn, and nothing when none does", () => {
  expect(difference(frame("a", "b", "c"), frame("a", "b", "c"))).toBe("");
  const bytes = difference(frame("a", "b", "c"), frame("a", "x", "c"));
  expect(bytes).toContain("\x1b[2;1Hx");
  expect(bytes).not.toContain("\x1b[1;1H");
  expect(bytes).not.toContain("\x1b[2J");
  expect(difference(undefined, frame("a"))).toContain("\x1b[2J");
});

test("the last column of a full line is not erased", () => {
  expect(frame("0123456789").lines[0]).not.toContain("\x1b[K");
  expect(frame("012345678").lines[0]).toContain("\x1b[K");
});

test("without colour no style is sent, and a raw escape is sent never", () => {
  const { lines } = frameOf(picture(paint("red", "x"), "\x1b[31m", "a\nb"), 10, false);
  expect(lines[0]).toBe("x\x1b[0m\x1b[K");
  expect(lines[1]).toStartWith("\\u001b[31m");
  expect(lines[2]).toStartWith("a b");
});

/** A terminal whose writes end when the test says so. */
function slowTerminal() {
  const writes: { s: string; done: PromiseWithResolvers<void> }[] = [];
  const raw: boolean[] = [];
  return {
    writes,
    raw,
    write(s: string) {
      const done = Promise.withResolvers<void>();
      writes.push({ s, done });
      return done.promise;
    },
    setRaw: (isOn: boolean) => void raw.push(isOn),
    size: () => ({ columns: 10, rows: 1 }),
  };
}

/** Until every promise that is ready has been handled. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a slow terminal has one frame in front of it and gets the newest next", async () => {
  const terminal = slowTerminal();
  const screen = openScreen(terminal, { color: false, clock: systemClock, gone: () => {} });
  screen.enter();
  await settled();
  expect(terminal.writes.map(({ s }) => s)).toEqual([enterScreen]);
  let made = 0;
  for (let at = 0; at < 100; at++)
    screen.draw(() => {
      made += 1;
      return picture(`frame ${at}`);
    });
  terminal.writes[0]!.done.resolve();
  await settled();
  expect(terminal.writes).toHaveLength(2);
  for (let at = 100; at < 200; at++) screen.draw(() => picture(`frame ${at}`));
  await settled();
  expect(terminal.writes).toHaveLength(2);
  expect(made).toBe(1);
  terminal.writes[1]!.done.resolve();
  await settled();
  expect(terminal.writes[2]!.s).toContain("frame 199");
  terminal.writes[2]!.done.resolve();
});

test("leaving restores the terminal after what is being written, and does not wait for ever", async () => {
  const terminal = slowTerminal();
  const screen = openScreen(terminal, { color: false, clock: systemClock, gone: () => {} });
  screen.enter();
  await settled();
  const left = screen.leave();
  screen.draw(() => picture("late"));
  terminal.writes[0]!.done.resolve();
  await settled();
  expect(terminal.writes.map(({ s }) => s)).toEqual([enterScreen, leaveScreen]);
  // The second write never ends.
  await left;
  expect(terminal.raw).toEqual([true, false]);
});

test("a terminal that is gone ends the board", async () => {
  const gone = Promise.withResolvers<string>();
  const terminal = { ...slowTerminal(), write: () => Promise.reject(new Error("EIO")) };
  openScreen(terminal, { color: false, clock: systemClock, gone: () => gone.resolve("gone") }).enter();
  expect(await gone.promise).toBe("gone");
});
