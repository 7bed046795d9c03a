import { expect, test } from "bun:test";
import { live } from "../../../src/core/model/live.ts";
import { handClock } from "../../support/codex-clock.ts";

test("a word on a thread that was not opened here makes it no open one: its settings were not compared", () => {
  const here = live(handClock());
  here.setStatus("stranger", "idle");
  here.touch("stranger");
  expect(here.get("stranger")).toBeUndefined();
  expect(here.list()).toEqual([]);
});
