/** Nothing that an agent reads over MCP is written for a shell. */
import { describe, expect, test } from "bun:test";
import { index } from "../../../src/ops/index.ts";
import { spellForMcp } from "../../../src/surface/mcp/hint.ts";

const send = (await index.find((row) => row.name === "message.send")!.load()).default;
const flat = (text: string) => spellForMcp(text, { index, isFlat: true }, send.input.entries);
const grouped = (text: string) => spellForMcp(text, { index, isFlat: false }, send.input.entries);

const cases: [shell: string, mcp: string][] = [
  ["dispatch list", "dispatch_list"],
  ["dispatch queue release k3x9tz", 'dispatch_queue_release {thread: "k3x9tz"}'],
  ["dispatch list --limit 1000", "dispatch_list {limit: 1000}"],
  ["dispatch watch --all --follow --raw", "dispatch_watch {all: true, follow: true, raw: true}"],
  ["dispatch wait 01a22161-525a", 'dispatch_wait {threads: ["01a22161-525a"]}'],
  ["dispatch request get w7mjgv", 'dispatch_request_get {id: "w7mjgv"}'],
  ["dispatch get THREAD shows the reason", 'dispatch_get {thread: "THREAD"} shows the reason'],
  ["dispatch send --help", "dispatch_send"],
  ['dispatch new --name "my docs"', 'dispatch_new {name: "my docs"}'],
  ["dispatch up", "dispatch up (in a shell)"],
  ["dispatch daemon status; then dispatch doctor", "dispatch_daemon_status; then dispatch_doctor"],
  ["is what dispatch found", "is what dispatch found"],
  [
    "send it with --queue to wait its turn, or with --steer into the running one",
    "send it with queue: true to wait its turn, or with steer: true into the running one",
  ],
  [
    "repeat the command with --idempotency-key a1b2: it is never done twice",
    "repeat the command with idempotency_key a1b2: it is never done twice",
  ],
  ["a person may: dispatch rename (or set it)", "a person may: dispatch_rename (or set it)"],
  ["--no-wait", "wait: false"],
  ["--text-file PATH", "text_file: PATH"],
  ["--timeout needs --wait", "timeout needs wait: true"],
];
for (const [shell, mcp] of cases) test(shell, async () => expect(await flat(shell)).toBe(mcp));

test("a grouped tool is called with the op", async () => {
  expect(await grouped("dispatch queue release k3x9tz")).toBe(
    'dispatch_message_write {op: "queue_release", thread: "k3x9tz"}',
  );
});

describe("no message or hint of an example's error holds a flag or a command of the shell", () => {
  test("of the whole source", async () => {
    const sources = [...new Bun.Glob("src/**/*.ts").scanSync()].filter(
      (file) => !/surface\/cli|daemon\/run/.test(file),
    );
    const hints: string[] = [];
    for (const file of sources)
      for (const [, hint] of (await Bun.file(file).text()).matchAll(/hint: "([^"]*)"/g)) hints.push(hint!);
    expect(hints.length).toBeGreaterThan(100);
    for (const hint of hints) expect(await flat(hint)).not.toMatch(/--[a-z]|dispatch [a-z]+ --/);
  });
});
