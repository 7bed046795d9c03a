import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { reportShape } from "../../contract/report.ts";
import { moment } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "report.rows",
  cli: "report-rows",
  group: "thread",
  task: "look",
  summary: "What the threads did since a time",
  intent: "read",
  repeat: "safe",
  hidden: true,
  input: v.strictObject({ since: v.optional(moment("from this time on", "first")) }),
  output: v.object(reportShape),
  examples: [
    {
      given: "a finished turn",
      input: { since: "2026-01-01T00:00:00Z" },
      output: { turns: 1, failed: 0, threads: [{ title: "docs", turns: 1 }], truncated: false },
    },
    {
      given: "a failed turn",
      input: { since: "2026-01-01T00:00:00Z" },
      output: { failed: 1, threads: [{ failed: 1 }] },
    },
    {
      given: "used tokens",
      input: { since: "2026-01-01T00:00:00Z" },
      output: {
        tokens: { total: 1020, output: 20 },
        tokens_by_day: [{ total: 1020 }],
        windows: [{ provider: "mock", used_percent: 43 }],
        threads: [{ title: "docs", tokens: 1020 }],
      },
    },
  ],
  run: ({ since }, { core, clock }) =>
    core.report(since === undefined ? clock.now() - limits.report.periodMs : Date.parse(since)),
  view: () => "",
});
