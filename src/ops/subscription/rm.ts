import * as v from "valibot";
import { subscriptionView } from "../../contract/automation.ts";
import { authorizeFor, subscriptionTable } from "../automationview.ts";
import { arg } from "../fields.ts";
import { op } from "../op.ts";

export default op({
  name: "subscription.rm",
  cli: "subscription rm",
  group: "trigger",
  task: "automate",
  summary: "Remove a subscription",
  intent: "destroy",
  reach: "any",
  repeat: "no",
  input: v.strictObject({
    id: arg(v.pipe(v.string(), v.minLength(1)), "subscription: its id", {
      value: "ID",
      names: "subscription",
    }),
  }),
  output: v.object(subscriptionView),
  examples: [
    { given: "a subscription", input: { id: "<subscription>" }, output: { when: ["done"] } },
    { given: "nothing", input: { id: "nope" }, error: "not_found" },
  ],
  run({ id }, { core, caller }) {
    authorizeFor(core, caller, "subscription rm", core.subscription(id).to);
    return core.removeSubscription(id);
  },
  view: (subscription, look) => subscriptionTable([subscription], look),
});
