import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import { configReader, readConfig } from "../../src/daemon/config.ts";
import { readHosts } from "../../src/daemon/hosts.ts";
import { rulesOf } from "../../src/daemon/rules.ts";

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
    policy: {
      trusted: [],
      attached_queue: false,
      release_after: [],
      requests: "ask" as const,
      rules: [],
      agents: "guarded" as const,
      hosts: [],
    },
    limits: { continue: "queue" as const },
    hosts: {},
    notify: [],
    app_server: { env: [] },
    history: { keep_days: limits.event.keepDays, max_text_bytes: limits.search.indexedBytesMax },
  };
  expect(readConfig(join(folder, "none.toml"))).toEqual(defaults);
  expect(read("")).toEqual(defaults);
  expect(read("[policy]\n")).toEqual(defaults);
});

test("what it says is taken", () => {
  const text =
    '[policy]\nattached_queue = true\nrelease_after = ["failed"]\n[app_server]\ncommand = "/opt/codex"\n[history]\nkeep_days = 7\n[limits]\ncontinue = "hold"\nnudge = "go on"\n';
  expect(read(text)).toMatchObject({
    policy: { attached_queue: true, release_after: ["failed"], requests: "ask", rules: [] },
    app_server: { command: "/opt/codex" },
    history: { keep_days: 7 },
    limits: { continue: "hold", nudge: "go on" },
  });
});

test("the hosts are read by themselves: a mistake elsewhere in the file does not matter to them", () => {
  const path = join(folder, "hosts.toml");
  writeFileSync(
    path,
    '[hosts.box]\nssh = "me@box"\n[hosts.mini]\nssh = "mini"\ncommand = "/opt/d"\n[polcy]\n',
  );
  expect(readHosts(path)).toEqual({
    box: { ssh: "me@box", command: "dispatch" },
    mini: { ssh: "mini", command: "/opt/d" },
  });
  expect(readHosts(join(folder, "none.toml"))).toEqual({});
});

describe("what is wrong is named by file and line, with the nearest right key", () => {
  for (const [text, words] of [
    ["[policy]\n\nrelase_after = []\n", [":3:", "relase_after", 'did you mean "release_after"']],
    ["[polcy]\n", [":1:", "polcy", 'did you mean "policy"']],
    [
      '[policy]\nrelease_after = ["by_hand"]\n',
      [':2: policy.release_after.0: must be one of failed, stopped, crashed, not "by_hand"'],
    ],
    ['[hosts.box]\nssh = "box"\ncomand = "x"\n', [":3:", "comand", 'did you mean "command"']],
    ['[hosts.box]\ncommand = "dispatch"\n', ["missing hosts.box.ssh"]],
    ['[hosts.box]\nssh = "-oProxyCommand=x"\n', [":2:", "what ssh connects to"]],
    ['[hosts."my box"]\nssh = "box"\n', ["the name of a host"]],
    ["[history]\nkeep_days = 0\n", [":2: history.keep_days: must be at least 1, not 0"]],
    ['[limits]\ncontinue = "go"\n', [':2: limits.continue: must be one of queue, hold, not "go"']],
    ['policy = "go"\n', [':1: policy: must be an object, not "go"']],
    ['[limits]\nnudge = " "\n', [":2:", "nudge", "it has no visible character"]],
    ["[policy\n", ["config.toml:1:"]],
    ["[policy]\n\nrequests = ask\n[history]\nkeep_days = 7\n", [":3:"]],
    ['[policy]\nrelease_after = [\n  "failed",\n]\nrequests = "ask\n', [":5:"]],
    ["[policy]\n[history]\nkeep_days = 7\nkeep_days = 8\n", [":4:"]],
    ['[policy]\nrequests = "aprove"\n', [":2:", "policy.requests"]],
    ["[policy]\nrequest_timeout = 0\n", [":2:", "request_timeout"]],
    ['[[policy.rules]]\ncomand = "git"\nanswer = "ask"\n', [":2:", "comand", 'did you mean "command"']],
    ['[[policy.rules]]\ncommand = "git"\n', ["missing policy.rules.0.answer"]],
    ['[[policy.rules]]\nkind = "other"\nanswer = "approve"\n', [":2:", "kind"]],
    ['[[policy.rules]]\nkind = "user_input"\nanswer = "approve"\n', ["cannot be approved"]],
    [
      '[[policy.rules]]\nkind = "user_input"\ncommand = "git"\nanswer = "deny"\n',
      ["command is only allowed with"],
    ],
    ['[[policy.rules]]\ncommand = "git; rm"\nanswer = "approve"\n', [":2:", "plain words"]],
    ['[[policy.rules]]\ncommand = "sudo apt"\nanswer = "approve"\n', ["runs another"]],
    ['[[policy.rules]]\ncommand = ""\nanswer = "approve"\n', [":2:", "plain words"]],
    ['[[policy.rules]]\ncwd = "app"\nanswer = "approve"\n', [":2:", "absolute"]],
    ['[[policy.rules]]\ncwd = "/app/../etc"\nanswer = "approve"\n', [":2:", ".."]],
  ] as const) {
    test(JSON.stringify(text), () => {
      const { code, message } = refusal(text);
      expect(code).toBe("usage");
      for (const word of words) expect(message).toContain(word);
    });
  }
});

test("rules are read in their order, a command as its words", () => {
  const rules = [
    '[[policy.rules]]\nkind = "command_approval"\ncommand = "git status"\ncwd = "/repo"\nanswer = "approve"\n',
    '[[policy.rules]]\nthread = "@docs"\nanswer = "deny"\n',
  ];
  const { policy } = read(`[policy]\nrequests = "ask"\nrequest_timeout = 60\n${rules.join("")}`);
  expect(policy.request_timeout).toBe(60);
  expect(rulesOf(policy)).toEqual({
    requests: "ask",
    rules: [
      { kind: "command_approval", command: ["git", "status"], cwd: "/repo", answer: "approve" },
      { thread: "@docs", answer: "deny" },
    ],
  });
});

test("a change is seen at the next look, without a restart", () => {
  const config = configReader(path);
  writeFileSync(path, "");
  expect(config().policy.release_after).toEqual([]);
  writeFileSync(path, '[policy]\nrelease_after = ["stopped"]\n');
  utimesSync(path, 1, 1);
  expect(config().policy.release_after).toEqual(["stopped"]);
});

test("a file in a circle of links is a usage error at each look, until it can be read", () => {
  const circle = join(folder, "circle.toml");
  symlinkSync("circle.toml", circle);
  const config = configReader(circle);
  for (let times = 0; times < 2; times++) {
    expect(() => config()).toThrow("circle.toml");
    try {
      config();
    } catch (thrown) {
      expect((thrown as DispatchError).code).toBe("usage");
    }
  }
  rmSync(circle);
  expect(config().policy).toBeDefined();
});
