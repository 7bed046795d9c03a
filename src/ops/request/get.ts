import * as v from "valibot";
import { requestView } from "../../contract/request.ts";
import { arg } from "../fields.ts";
import { leanRequest } from "../lean.ts";
import { op } from "../op.ts";
import { requestPairs } from "../requestpairs.ts";

export default op({
  name: "request.get",
  cli: "request get",
  group: "thread",
  task: "answer",
  summary: "Show one question completely",
  intent: "read",
  repeat: "safe",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.nonEmpty()), "the request", { value: "REQUEST", names: "request" }),
  }),
  output: v.object(requestView),
  examples: [{ given: "nothing", input: { id: "zzzzzz" }, error: "not_found" }],
  run: ({ id }, { core }) => core.request(id),
  lean: leanRequest,
  view: (request, look) => requestPairs(request, look),
});
