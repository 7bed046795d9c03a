import * as v from "valibot";
import { cell } from "../../base/text.ts";
import { codexStates } from "../../contract/words.ts";
import { op } from "../op.ts";

export default op({
  name: "daemon.retry",
  cli: "daemon retry",
  group: "daemon",
  task: "maintain",
  summary: "Try Codex again now",
  intent: "write",
  repeat: "safe",
  start: "never",
  input: v.strictObject({}),
  output: v.object({
    state: v.picklist(codexStates),
    last_error: v.nullable(v.string()),
  }),
  examples: [{ given: "two threads", input: {}, output: { state: "running" } }],
  run(_input, { core }) {
    core.retryAgent();
    const { state, last_error } = core.agent();
    return { state, last_error: last_error?.message ?? null };
  },
  view: ({ state, last_error }) => `Codex is ${state}${state === "degraded" ? `: ${cell(last_error)}` : ""}`,
});
