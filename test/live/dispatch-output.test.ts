/** Output that cannot be written: on a full device, and into a pipe whose reader has gone. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { binary, dispatchRig, type Rig } from "../support/dispatch.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("docs", "hello");
});
afterAll(() => rig.dispose());

/** Runs a command whose output bash redirects, `before` which it runs something else. */
async function redirected(redirect: string, args: readonly string[], stdin = "", before = "") {
  const child = Bun.spawn(["bash", "-c", `${before} "$@" ${redirect}`, "bash", binary, ...args], {
    cwd: rig.codex.cwd,
    env: rig.env,
    stdin: new Blob([stdin]),
    stderr: "pipe",
    timeout: 30_000,
    killSignal: "SIGKILL",
  });
  const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  return { code, stderr };
}

const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n';
const hello = '{"hello":{"version":"0.0.0","protocol":1}}\n';
const reads: [args: string[], stdin?: string][] = [
  [["--version"]],
  [["--help"]],
  [["help", "send"]],
  [["list"]],
  [["list", "--limit", "5"]],
  [["get", "@docs"]],
  [["tail", "@docs"]],
  [["events"]],
  [["schema", "list"]],
  [["completion", "zsh"]],
  [["daemon", "log"]],
  [["top", "--plain"]],
  [["top", "--plain", "--json"]],
  [["mcp"], ping],
  [["dial-stdio"], hello],
];

describe.skipIf(process.platform !== "linux")("a full device", () => {
  for (const [args, stdin] of reads) {
    test(`${args.join(" ")} ends with the error of a full disk, and no stack trace`, async () => {
      const { code, stderr } = await redirected(">/dev/full", args, stdin);
      expect(stderr).toContain("could not write to standard output");
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: "storage", retry: "later" } });
      expect(code).toBe(16);
    });
  }

  test("what was carried out is told as such, with all that the answer says", async () => {
    const send = await redirected(">/dev/full", ["send", "@docs", "once", "--idempotency-key", "k1"]);
    const { error } = JSON.parse(send.stderr);
    expect([send.code, error]).toMatchObject([
      16,
      {
        code: "storage",
        message: expect.stringMatching(/^the command was carried out/),
        retry: "no",
        data: { idempotency_key: "k1", result: { mode: "send" } },
      },
    ]);
    const { receipt } = error.data.result;
    expect(error.hint).toBe(`dispatch receipt get ${receipt}`);
    expect(await rig.ask(["wait", "@docs", "--timeout", "30"])).toMatchObject({});
    expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({ state: "done" });
    const made = await redirected(">/dev/full", ["new", "--name", "made"]);
    const { ref } = JSON.parse(made.stderr).error.data.result;
    expect(await rig.ask(["get", "@made"])).toMatchObject({ ref });
  });

  test("standard error that cannot be written changes no exit status", async () => {
    expect((await redirected("2>/dev/full", ["get", "nobody"])).code).toBe(4);
    expect((await redirected("2>/dev/full", ["nonsense"])).code).toBe(2);
    expect((await redirected("2>/dev/full", ["send", "@docs", "hi", "--wait", "--no-json"])).code).toBe(0);
    expect((await redirected(">/dev/full 2>&1", ["list"])).code).toBe(16);
  });

  test("completion stays silent", async () => {
    expect(await redirected(">/dev/full", ["__complete", "zsh", "li"])).toMatchObject({
      code: 0,
      stderr: "",
    });
  });
});

describe("a pipe whose reader has gone", () => {
  for (const [args, stdin] of reads) {
    test(`${args.join(" ")} ends silently`, async () => {
      const { code, stderr } = await redirected(">&3", args, stdin, "exec 3> >(exec true); wait $!;");
      expect([code, stderr]).toEqual([0, ""]);
    });
  }
});
