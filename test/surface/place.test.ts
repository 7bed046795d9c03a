/** A command that is copied from what a command shows means the same place as that command. */
import { expect, test } from "bun:test";
import { paint } from "../../src/base/text.ts";
import { index } from "../../src/ops/index.ts";
import { nounsOf, placed, placedResult, placedView } from "../../src/surface/place.ts";

const nouns = nounsOf(index);
const box = { host: "box" };

test("every command of a hint has the host and the home, quoted, and no other words change", () => {
  expect(placed("dispatch down, then dispatch up", box, nouns)).toBe(
    "dispatch --host box down, then dispatch --host box up",
  );
  expect(placed("dispatch get x", { home: "/a b", host: "box" }, nouns)).toBe(
    "dispatch --home '/a b' --host box get x",
  );
  expect(placed("install dispatch there", box, nouns)).toBe("install dispatch there");
  expect(placed("dispatch send --help", box, nouns)).toBe("dispatch send --help");
  expect(placed("dispatch --host other get x", box, nouns)).toBe("dispatch --host other get x");
});

test("a result's fields of commands have them, and texts of others stay, what an agent asks for too", () => {
  const release = "dispatch queue release abc123";
  const out = {
    text: release,
    release,
    threads: [{ title: release, queue: { release }, goal: { resume: "dispatch goal set abc123" } }],
    degraded: [{ hint: null }, { hint: "dispatch doctor" }],
    arguments: { hint: release, queue: { release } },
  };
  expect(placedResult(out, box, nouns)).toEqual({
    text: release,
    release: "dispatch --host box queue release abc123",
    threads: [
      {
        title: release,
        queue: { release: "dispatch --host box queue release abc123" },
        goal: { resume: "dispatch --host box goal set abc123" },
      },
    ],
    degraded: [{ hint: null }, { hint: "dispatch --host box doctor" }],
    arguments: { hint: release, queue: { release } },
  });
});

test("a view's commands have them, and what an agent wrote does not", () => {
  const command = paint("bold", "dispatch queue release x");
  const view = `dispatch list\n${paint("bold", "a title of dispatch list")}\n${command} and ${paint("dim", "dispatch list")}`;
  expect(placedView(view, box, nouns)).toBe(
    view.replace(command, paint("bold", "dispatch --host box queue release x")),
  );
  expect(placedView("", box, nouns)).toBe("");
});
