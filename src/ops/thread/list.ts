import * as v from "valibot";
import { limits } from "../../base/limits.ts";
import { count, flag, path } from "../fields.ts";
import { op } from "../op.ts";
import { threadObject, threadStatuses } from "../shapes.ts";
import { threadTable } from "../views.ts";

export default op({
  name: "thread.list",
  cli: "list",
  group: "thread",
  summary: "List the threads that dispatch manages",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    archived: v.optional(flag(v.boolean(), "the archived ones instead"), false),
    status: v.optional(flag(v.picklist(threadStatuses), "only in this status")),
    source: v.optional(flag(v.picklist(["own", "attached"]), "only created here, or only attached")),
    cwd: v.optional(path("only with exactly this directory")),
    limit: v.optional(count("at most this many", limits.pageMax), 100),
  }),
  output: v.object({ threads: v.array(threadObject) }),
  fails: ["usage", "daemon_down", "denied", "storage"],
  examples: [
    { given: "two threads", input: {}, output: { threads: [{ title: "reviewer" }, { title: "docs" }] } },
    { given: "two threads", input: { status: "busy" }, output: { threads: [] } },
  ],
  run: ({ archived, status, source, cwd, limit }, { core }) => ({
    threads: core.list({
      archived,
      limit,
      ...(status ? { status } : {}),
      ...(source ? { source } : {}),
      ...(cwd ? { cwd } : {}),
    }),
  }),
  view: ({ threads }, look) => threadTable(threads, look),
});
