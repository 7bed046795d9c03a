/** Whatever Codex says of a question is shown to who answers it: to a person, and to an agent. */
import { expect, test } from "bun:test";
import { plainLook, toTerminal } from "../../src/base/text.ts";
import type { RequestDetails, RequestFacts } from "../../src/core/model/ports/request.ts";
import { requestRow } from "../../src/core/requests/requestrow.ts";
import { requestView } from "../../src/core/requests/requestview.ts";
import { leanRequest } from "../../src/ops/lean.ts";
import get from "../../src/ops/request/get.ts";
import { laneRow } from "../store/rows.ts";
import { nothingAsked } from "../world/model.ts";

/** A value of each detail, with a word that must be seen; null: it decides which answers are offered. */
const said: { [K in keyof RequestDetails]: { value: RequestDetails[K]; word: string } | null } = {
  reason: { value: "since-xyzzy", word: "since-xyzzy" },
  action: null,
  permissions: { value: { network: { hosts: ["host-xyzzy"] } }, word: "host-xyzzy" },
  network: { value: { host: "net-xyzzy", protocol: "https" }, word: "net-xyzzy" },
  grant_root: { value: "/root-xyzzy", word: "/root-xyzzy" },
  questions: {
    value: [
      { id: "q", header: "", question: "which-xyzzy", options: null, is_other: false, is_secret: false },
    ],
    word: "which-xyzzy",
  },
  tool: {
    value: { server: "s", name: "tool-xyzzy", description: null, arguments: null },
    word: "tool-xyzzy",
  },
  form: {
    value: { mode: "form", server: "s", message: "form-xyzzy", schema: null, url: null },
    word: "form-xyzzy",
  },
  may_persist: null,
  sub_agent: { value: "agent-xyzzy", word: "agent-xyzzy" },
};
const details = Object.entries(said).filter(([, one]) => one !== null);

test.each(details)("%s", (name, one) => {
  const facts: RequestFacts = {
    ...{ rpc_id: 1, method: "some/method", kind: "command_approval", thread_id: "t", turn_id: null },
    ...{ item_id: null, command: "ls", cwd: null, changes: null, auto_resolution_ms: null },
    asks: { ...nothingAsked, [name]: one!.value },
  };
  const world = { files: { isInside: () => false } } as never;
  const view = requestView(requestRow(world, "rqst01", laneRow(), 1, facts, null, 1));
  expect(toTerminal(get.view({ ...view }, plainLook(1)), { color: false })).toContain(one!.word);
  // An agent answers for the thread that asks, whoever of it works.
  if (name !== "sub_agent") expect(JSON.stringify(leanRequest(view))).toContain(one!.word);
});
