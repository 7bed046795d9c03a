import * as v from "valibot";
import { block, cell, paint } from "../../base/text.ts";
import { triggerView } from "../../contract/automation.ts";
import { triggerArg } from "../automationview.ts";
import { op } from "../op.ts";

export default op({
  name: "trigger.test",
  cli: "trigger test",
  group: "trigger",
  task: "automate",
  summary: "Show what a trigger would do now, and its next moments",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({ trigger: triggerArg() }),
  output: v.object({
    trigger: v.object(triggerView),
    would: v.picklist(["fire", "fail", "skip", "pause"]),
    reason: v.nullable(v.string()),
    text: v.nullable(v.string()),
    next: v.array(v.string()),
  }),
  examples: [
    {
      given: "a trigger",
      input: { trigger: "standup" },
      output: { would: "fire", reason: null, text: "What is next?" },
    },
    { given: "a trigger", input: { trigger: "nope" }, error: "not_found" },
  ],
  run: ({ trigger }, { core }) => core.testTrigger(trigger),
  view({ would, reason, text, next }) {
    const words = {
      fire: "it would fire now",
      fail: "it would fail now",
      skip: "it would be skipped now",
      pause: "it would be paused now",
    };
    const lines = [
      `${paint("bold", words[would])}${reason === null ? "" : `: ${cell(reason)}`}`,
      ...(text === null ? [] : [block(text)]),
      ...(next.length === 0 ? [] : ["next:", ...next.map((at) => `  ${at}`)]),
    ];
    return lines.join("\n");
  },
});
