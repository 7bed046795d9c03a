import type { Mutant } from "./mutant.ts";

const test = "core/relay/relay.test.ts";
const rights = "core/relay/rights.test.ts";
const pools = "core/relay/pool.test.ts";
const file = (name: string) => `src/core/relay/${name}.ts`;

export const relay: readonly Mutant[] = [
  {
    file: file("inorder"),
    from: "      return at;\n",
    to: "",
    what: "a message overtakes the one that the disk refused",
    tests: ["core/relay/inorder.test.ts"],
  },
  {
    file: file("inorder"),
    from: "one.tries < limits.relay.triesMax",
    to: "one.tries > 0",
    what: "a message that meets a bug holds up those behind it for ever",
    tests: ["core/relay/inorder.test.ts"],
  },
  {
    file: file("report"),
    from: "bytes > 0 && bytes + size > limits.relay.letterBytesMax",
    to: "bytes < 0",
    what: "reports that no server takes are sent again and again",
    tests: ["core/relay/inorder.test.ts"],
  },
  {
    file: file("report"),
    from: "parts.map(({ report: { kind, seq, id } }) =>",
    to: "parts.map(({ report: { kind, v: seq, id } }) =>",
    what: "the stream drops a newer state as the copy of an older one",
    tests: [test],
  },
  {
    file: file("letter"),
    from: "mail.success && isSendable(mail.output)",
    to: "mail.success",
    what: "a text with half a character is taken from another machine",
    tests: [rights],
  },
  {
    file: file("arrive"),
    from: "if (mail && !isKnown(deps, mail.id))",
    to: "if (mail)",
    what: "a message that the stream gives again is taken again",
    tests: [test],
  },
  {
    file: file("arrive"),
    from: '  if (agentPolicyOf(deps, null) !== "read") return;',
    to: "  if (deps) return;",
    what: "another machine writes where agents may only read",
    tests: [rights],
  },
  {
    file: file("pool"),
    from: "      if (owner === name) relay.setArrived",
    to: "      if (owner) relay.setArrived",
    what: "two machines make a thread of one message of a pool",
    tests: [pools],
  },
  {
    file: file("report"),
    from: "store.relay.cursor() ?? firstCursor(deps)",
    to: "store.relay.cursor() ?? store.log.last()",
    what: "the first report is lost with the daemon that owes it",
    tests: [test],
  },
  {
    file: file("reported"),
    from: "  if (row && row.box !== null && row.box !== box) {",
    to: "  if (!row && box === null) {",
    what: "a machine reports of a message that was sent to another one",
    tests: [rights],
  },
  {
    file: file("reported"),
    from: "  if (report.seq <= before.seen) return;",
    to: "",
    what: "an older report changes a message",
    tests: [test],
  },
  {
    file: "src/core/policy/hosts.ts",
    from: "  if (!hosts.includes(host))",
    to: "  if (false)",
    what: "an agent reaches a machine that is not listed",
    tests: [rights],
  },
  {
    file: file("send"),
    from: "draft.key === null ? deps.mint.id() : idOf(store.log.id(), draft.key, digest)",
    to: "deps.mint.id()",
    what: "a repeated send that lost its answer is another message",
    tests: [test],
  },
];
