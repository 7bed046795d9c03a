import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import { configReader, readConfig } from "../../src/daemon/config.ts";

const folder = mkdtempSync(join(tmpdir(), "dispatch-config-"));
const path = join(folder, "config.toml");
afterAll(() => rmSync(folder, { recursive: true }));

const read = (text: string) => {
  writeFileSync(path, text);
  return readConfig(path);
};
const refusal = (text: string) => {
  try {
    read(text);
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error("it was taken");
};

test("no file, an empty one and an empty table are the defaults", () => {
  const defaults = {
    defaults: {},
    presets: {},
    policy: { trusted: [], attached_queue: false, release_after: [] },
    app_server: {},
    history: { keep_days: limits.eventsKeepDays, max_text_bytes: limits.indexedBytesMax },
  };
  expect(readConfig(join(folder, "none.toml"))).toEqual(defaults);
  expect(read("")).toEqual(defaults);
  expect(read("[policy]\n")).toEqual(defaults);
});

test("what it says is taken", () => {
  const text =
    '[policy]\nattached_queue = true\nrelease_after = ["failed"]\n[app_server]\ncommand = "/opt/codex"\n[history]\nkeep_days = 7\n';
  expect(read(text)).toMatchObject({
    policy: { attached_queue: true, release_after: ["failed"] },
    app_server: { command: "/opt/codex" },
    history: { keep_days: 7 },
  });
});

describe("what is wrong is named by file and line, with the nearest right key", () => {
  for (const [text, words] of [
    ["[policy]\n\nrelase_after = []\n", [":3:", "relase_after", 'did you mean "release_after"']],
    ["[polcy]\n", [":1:", "polcy", 'did you mean "policy"']],
    ['[policy]\nrelease_after = ["by_hand"]\n', [":2:", "release_after"]],
    ["[history]\nkeep_days = 0\n", [":2:", "keep_days"]],
    ["[policy\n", ["config.toml"]],
  ] as const) {
    test(JSON.stringify(text), () => {
      const { code, message } = refusal(text);
      expect(code).toBe("usage");
      for (const word of words) expect(message).toContain(word);
    });
  }
});

test("a change is seen at the next look, without a restart", () => {
  const config = configReader(path);
  writeFileSync(path, "");
  expect(config().policy.release_after).toEqual([]);
  writeFileSync(path, '[policy]\nrelease_after = ["stopped"]\n');
  utimesSync(path, 1, 1);
  expect(config().policy.release_after).toEqual(["stopped"]);
});
