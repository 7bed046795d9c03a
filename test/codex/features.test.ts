import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import {
  features,
  isNewer,
  isTested,
  lackError,
  lackOf,
  lacksOf,
  tested,
  tooOldError,
  upgradeFor,
} from "../../src/codex/features.ts";
import { offerWithout } from "./offer.ts";

/** Every method that the code of src/codex speaks of, by what it does with it. */
function spoken(): { calls: Set<string>; hears: Set<string>; asks: Set<string> } {
  const folder = join(import.meta.dir, "../../src/codex");
  const of = (name: string) => readFileSync(join(folder, name), "utf8");
  const all = readdirSync(folder)
    .filter((name) => name !== "features.ts")
    .map(of)
    .join("\n");
  const found = (text: string, pattern: RegExp) =>
    new Set([...text.matchAll(pattern)].map(([, method]) => method!));
  return {
    calls: found(all, /(?:call|load|read|lifeFor|has)\(\s*"([\w/]+)"/g),
    hears: new Set([
      ...found(of("events.ts"), /^ {2}"?([\w/]+)"?: \(/gm),
      ...found(all, /method === "([\w/]+)"/g),
    ]),
    asks: found(of("requests.ts"), /^ {2}"(\w+\/[\w/]+)": "/gm),
  };
}

const named = (of: "calls" | "hears" | "asks") =>
  new Set(features.flatMap((feature) => Object.keys(feature[of] ?? {})));

describe("the table of features", () => {
  test.each(["calls", "hears", "asks"] as const)("names all that the code %s, and nothing else", (of) => {
    const used = spoken()[of];
    // Answered where an older Codex asks it, and missed by nobody since 0.171 asks it no more.
    used.delete("currentTime/read");
    expect(used.size).toBeGreaterThan(4);
    expect([...named(of)].toSorted()).toEqual([...used].toSorted());
  });

  test("has one row a purpose", () => {
    const words = features.map(({ what }) => what);
    expect(new Set(words).size).toBe(words.length);
  });
});

describe("a Codex that lacks", () => {
  test("nothing lacks nothing", () => {
    expect(lacksOf(offerWithout())).toEqual([]);
  });

  test("one method loses that feature, by name, and no other", () => {
    const lacks = lacksOf(offerWithout("thread/revert"));
    expect(lacks.map(({ feature, needs }) => [feature.what, needs])).toEqual([
      ["revert a thread", ["thread/revert"]],
    ]);
    expect(lackOf(lacks, "thread/revert", { threadId: "t", beforeTurnId: "u" })).toBe(lacks[0]);
    expect(lackOf(lacks, "thread/fork", { threadId: "t" })).toBeUndefined();
    expect(tooOldError("1.2.3", lacks)).toBeUndefined();
  });

  test("one field is only refused where the field is used", () => {
    const lacks = lacksOf(offerWithout("thread/fork lastTurnId"));
    expect(lackOf(lacks, "thread/fork", { threadId: "t" })).toBeUndefined();
    const lack = lackOf(lacks, "thread/fork", { threadId: "t", lastTurnId: "u" })!;
    const error = lackError("1.2.3", lack);
    expect([error.code, error.message]).toEqual([
      "agent",
      `codex 1.2.3 cannot fork a thread at a turn: it has no thread/fork lastTurnId; dispatch was tested with ${tested.from} to ${tested.to}`,
    ]);
    expect(error.data).toMatchObject({
      version: "1.2.3",
      tested,
      lacks: ["thread/fork lastTurnId"],
      outcome: "not_sent",
    });
  });

  test.each([
    "turn/start clientUserMessageId",
    "item/completed clientId",
    "thread/resume sandbox",
    "turn/completed",
  ])("%s is too old", (need) => {
    const error = tooOldError("0.12.0", lacksOf(offerWithout(need)));
    expect(error).toBeInstanceOf(DispatchError);
    expect([error!.code, error!.message]).toEqual([
      "agent_down",
      expect.stringContaining(`it has no ${need}; it is too old`),
    ]);
  });

  test("a question that it would ask, or a word that it would tell, loses the feature too", () => {
    const lost = (need: string) => lacksOf(offerWithout(need)).map(({ feature }) => feature.what);
    expect(lost("item/tool/requestUserInput")).toEqual(["ask its user"]);
    expect(lost("thread/tokenUsage/updated")).toEqual(["count tokens"]);
  });
});

test("the Codex that the tests run is the last of the tested range", async () => {
  const { devDependencies } = await Bun.file(join(import.meta.dir, "../../package.json")).json();
  expect(devDependencies["@openai/codex"]).toBe(tested.to);
});

test("the tested range is from the first to the last, both in it", () => {
  expect([tested.from, "0.168.9", tested.to].map(isTested)).toEqual([true, true, true]);
  expect(["0.149.9", "0.172.0-alpha.1", "1.0.0"].map(isTested)).toEqual([false, false, false]);
  expect(["0.172.0", "0.172.0-alpha.1", "1.0.0"].map(isNewer)).toEqual([true, true, true]);
  expect([tested.to, "0.171.0-alpha.1", "0.12.0", "", "junk"].map(isNewer)).toEqual(Array(5).fill(false));
  expect(upgradeFor("1.0.0")).toContain("upgrade dispatch");
  expect(upgradeFor("0.12.0")).toContain("npm install -g @openai/codex");
  expect(limits.codex.schemaTimeoutMs).toBeLessThan(limits.codex.startTimeoutMs);
});
