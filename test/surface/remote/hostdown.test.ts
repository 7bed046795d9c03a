import { expect, test } from "bun:test";
import { dialLine, dialledIn } from "../../../src/surface/remote/dialline.ts";
import { lostUnder, notReached } from "../../../src/surface/remote/hostdown.ts";

const host = { name: "box", destination: "me@box.lan", command: "dispatch" };
const reached = (status: number | null, stderr: string) => notReached(host, { status, stderr }).body;

test("what ssh says is the reason, and the hint is what to do about it", () => {
  const denied = reached(255, "me@box.lan: Permission denied (publickey).\r\n");
  expect(denied).toMatchObject({
    code: "host_down",
    message: "box cannot be reached: me@box.lan: Permission denied (publickey).",
    data: { host: "box" },
  });
  expect(denied.hint).toContain("ssh-add");
  const unknown = reached(255, "No ED25519 host key is known for box.lan\nHost key verification failed.\n");
  expect(unknown.message).toContain("Host key verification failed.");
  expect(unknown.hint).toContain("by hand: ssh me@box.lan");
  expect(reached(255, "ssh: Could not resolve hostname box.lan: Name or service not known").hint).toBe(
    "ssh me@box.lan true",
  );
});

test("a host without dispatch, and one with a dispatch that is too old, are told apart from one that is down", () => {
  const none = reached(127, "sh: 1: dispatch: not found\n");
  expect(none.message).toBe("box has no dispatch: sh: 1: dispatch: not found");
  expect(none.hint).toContain('[hosts.box] command = "/path/to/dispatch"');
  const old =
    '{"error":{"code":"usage","message":"unknown command \\"dial-stdio\\"","hint":"dispatch --help"}}';
  expect(reached(2, old).message).toBe("the dispatch on box is too old to be used from another machine");
  expect(reached(1, "boom").message).toBe("dispatch on box ended with status 1: boom");
});

test("an error of dispatch there is shown by its message", () => {
  const json = '{"error":{"code":"storage","message":"the disk is full","hint":null}}\n';
  expect(lostUnder(host, { status: 16, stderr: json }, 1).message).toBe(
    "the connection to box was lost before the answer: the disk is full",
  );
  expect(lostUnder(host, { status: null, stderr: "" }, 3).message).toBe(
    "the connection to box was lost 3 times before the answer",
  );
});

test("what another machine says is one bounded line without control characters", () => {
  const { message } = reached(255, `\u001b]0;title\u0007\u001b[2J${"x".repeat(10_000)}\n`);
  expect(message).not.toContain("\u001b");
  expect(message.length).toBeLessThan(600);
  expect(reached(255, '{"error":"\\ud800"}').message).toStartWith("box cannot be reached");
});

test("the first line of dispatch is recognised, and no other line is", () => {
  const dialled = { version: "1.2.3", schemas: { "thread.list": "abc" } };
  expect(dialledIn(dialLine(dialled).trimEnd())).toEqual(dialled);
  for (const line of [
    "",
    "Welcome!",
    '{"dial":1}',
    '{"dial":{"version":1}}',
    '{"dial":{"version":"1"}}',
    '{"dial":',
  ])
    expect(dialledIn(line)).toBeUndefined();
});
