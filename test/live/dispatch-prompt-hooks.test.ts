/** A `UserPromptSubmit` hook of Codex that refuses a text, or is slow: one attempt, the hook's words, no doubt. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { trustedHook } from "../support/codex-hooks.ts";
import { dispatchRig, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

/** Decides by a word in the text. */
const script = `#!/bin/sh
input=$(cat)
case "$input" in
  *hook-exit*) echo "policy: not this prompt" >&2; exit 2 ;;
  *hook-block*) echo '{"decision":"block","reason":"policy: not this prompt"}' ;;
  *hook-stop*) echo '{"continue":false,"stopReason":"policy: not this prompt"}' ;;
  *hook-slow*) sleep 65 ;;
esac
`;

beforeAll(async () => {
  rig = dispatchRig();
  await trustedHook(rig, "UserPromptSubmit", script);
  await rig.ask(["up"]);
});

afterAll(() => rig.dispose());

async function settled(receipt: string) {
  await rig.run(["wait", receipt, "--timeout", "30"]);
  return await rig.ask(["receipt", "get", receipt]);
}

const refused = {
  state: "failed",
  attempt: 1,
  error: { code: "agent", message: expect.stringContaining("policy: not this prompt") },
};

test.each(["hook-exit", "hook-block", "hook-stop"])(
  "%s: the message fails after one attempt",
  async (word) => {
    const { ref } = await rig.ask(["new", "--name", word]);
    const { receipt } = await rig.ask(["send", ref, "--queue", `please ${word}`]);
    expect(await settled(receipt)).toMatchObject(refused);
    const sent = await rig.run(["send", ref, `please ${word}`, "--wait", "--timeout", "30"]);
    expect(sent.code).toBe(8);
    const first = await rig.ask(["new", "--name", `${word} first`, "--text", `please ${word}`]);
    expect(await settled(first.receipt)).toMatchObject(refused);
    const after = await rig.ask(["send", ref, "a harmless text"]);
    expect(await settled(after.receipt)).toMatchObject({ state: "done", outcome: "completed" });
  },
);

test("a refused steer says that it ended the running turn", async () => {
  const { ref, receipt } = await rig.ask([
    "new",
    "--name",
    "steered",
    "--text",
    stringify([{ shell: "sleep 20" }, { say: "on" }]),
  ]);
  await rig.run(["wait", ref, "--for", "turn", "--timeout", "1"]);
  const steer = await rig.ask(["send", ref, "--steer", "please hook-block"]);
  const error = { message: expect.stringMatching(/running turn was ended.*policy: not this prompt/) };
  expect(await settled(steer.receipt)).toMatchObject({ state: "failed", attempt: 1, error });
  expect(await settled(receipt)).toMatchObject({ state: "done", outcome: "completed" });
});

test("a hook that takes longer than the proof may leaves no doubt", async () => {
  const { receipt } = await rig.ask(["new", "--name", "slow", "--text", "please hook-slow"]);
  // Two waits: a command of the rig may take a minute.
  expect((await rig.run(["wait", receipt, "--timeout", "50"])).code).toBe(14);
  expect((await rig.run(["wait", receipt, "--timeout", "50"])).code).toBe(0);
  expect(await rig.ask(["receipt", "get", receipt])).toMatchObject({ state: "done", attempt: 1 });
}, 120_000);
