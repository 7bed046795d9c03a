/** Rules against questions: what is decided, and that a doubt always asks. */

import { describe, expect, test } from "bun:test";
import { type RequestKind, type Ruling, requestKinds, rulings } from "../../../src/contract/words.ts";
import type { RequestDetails } from "../../../src/core/model/ports/request.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import type { Rule } from "../../../src/core/model/ruling.ts";
import { beginsWith, mayBeginWith, parseCommand, runsAnother } from "../../../src/core/policy/command.ts";
import { type DecidableRequest, decide, type RequestingThread } from "../../../src/core/policy/decide.ts";
import { seeded } from "../../support/seeded.ts";
import { nothingAsked } from "../../world/model.ts";

const asker = (over: Partial<RequestingThread> = {}): RequestingThread => ({
  ref: "bcdfgh" as Ref,
  thread_id: "thread-1",
  handle: "docs",
  named_by_agent: false,
  requests: null,
  ...over,
});

/** What every question of these tests has unless it says otherwise: one that a rule may approve by itself. */
const whole = { changes: [], inside_sandbox: true, missing_bytes: 0 };

const command = (
  line: string,
  over: Partial<DecidableRequest> = {},
  asks: Partial<RequestDetails> = {},
): DecidableRequest => ({
  kind: "command_approval",
  command: `/bin/bash -lc '${line}'`,
  cwd: "/repo/app",
  asks: { ...nothingAsked, action: "command", ...asks },
  ...whole,
  ...over,
});

const other = (kind: RequestKind, asks: Partial<RequestDetails> = {}): DecidableRequest => ({
  kind,
  command: null,
  cwd: null,
  asks: { ...nothingAsked, ...asks },
  ...whole,
});

/** As a file system would say that has one symbolic link in it. */
const isInside = (path: string, root: string) => {
  const real = path.replace(/^\/repo\/link(?=\/|$)/, "/etc");
  return real === root || real.startsWith(`${root}/`);
};

const patched = (...paths: string[]): DecidableRequest => ({
  ...other("file_change_approval"),
  changes: paths.map((path) => ({ path, kind: "update", to: null, diff: "" })),
});

/** What an approval of it allows may happen outside the sandbox. */
const outside = (judged: DecidableRequest): DecidableRequest => ({ ...judged, inside_sandbox: false });

const tool = { server: "echo", name: "say", description: null, arguments: {} };
const git: Rule = { command: ["git", "status"], answer: "approve" };
const said = (asked: DecidableRequest, rules: Rule[], requests: Ruling = "ask", by = asker()) =>
  decide(asked, by, { requests, rules }, isInside);

const decided: [
  what: string,
  asked: DecidableRequest,
  rules: Rule[],
  requests: Ruling,
  ruling: Ruling,
  by: string | null,
][] = [
  ["no rule asks", command("ls"), [], "ask", "ask", null],
  ["the configuration's own", command("ls"), [], "deny", "deny", "policy"],
  ["a prefix", command("git status -s"), [git], "ask", "approve", "policy rule 1"],
  ["another command", command("git push"), [git], "ask", "ask", null],
  [
    "the first that matches wins",
    command("git status"),
    [{ ...git, answer: "deny" }, git],
    "ask",
    "deny",
    "policy rule 1",
  ],
  [
    "a rule that asks ends the search",
    command("git status"),
    [{ ...git, answer: "ask" }, git],
    "approve",
    "ask",
    null,
  ],
  [
    "the second where the first is of another",
    command("git status"),
    [{ ...git, cwd: "/other" }, git],
    "ask",
    "approve",
    "policy rule 2",
  ],
  [
    "in a folder below",
    command("ls"),
    [{ cwd: "/repo", answer: "approve" }],
    "ask",
    "approve",
    "policy rule 1",
  ],
  [
    "not in one that begins alike",
    command("ls", { cwd: "/repository" }),
    [{ cwd: "/repo", answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  [
    "not by a link out of it",
    command("ls", { cwd: "/repo/link/x" }),
    [{ cwd: "/repo", answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  [
    "not up and out of it",
    command("ls", { cwd: "/repo/../etc" }),
    [{ cwd: "/repo", answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  ["by ref", command("ls"), [{ thread: "bcdfgh", answer: "deny" }], "ask", "deny", "policy rule 1"],
  ["by handle", command("ls"), [{ thread: "@docs", answer: "deny" }], "ask", "deny", "policy rule 1"],
  ["not by a bare word", command("ls"), [{ thread: "docs", answer: "deny" }], "ask", "ask", null],
  [
    "a file change",
    other("file_change_approval"),
    [{ kind: "file_change_approval", answer: "approve" }],
    "ask",
    "approve",
    "policy rule 1",
  ],
  [
    "but no folder for the rest of the session",
    other("file_change_approval", { grant_root: "/" }),
    [],
    "approve",
    "ask",
    null,
  ],
  [
    "a command rule is of commands",
    other("mcp_tool_approval", { tool }),
    [{ command: ["echo"], answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  [
    "a server's tool",
    other("mcp_tool_approval", { tool }),
    [{ kind: "mcp_tool_approval", command: ["echo", "say"], answer: "approve" }],
    "ask",
    "approve",
    "policy rule 1",
  ],
  [
    "all of a server's",
    other("mcp_tool_approval", { tool }),
    [{ kind: "mcp_tool_approval", command: ["echo"], answer: "approve" }],
    "ask",
    "approve",
    "policy rule 1",
  ],
  [
    "another tool of it",
    other("mcp_tool_approval", { tool }),
    [{ kind: "mcp_tool_approval", command: ["echo", "shout"], answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  ["a question is not approved", other("user_input"), [], "approve", "ask", null],
  ["a form is not approved", other("elicitation"), [], "approve", "ask", null],
  ["a question may be denied", other("user_input"), [], "deny", "deny", "policy"],
  ["a line of two commands", command("git status; rm x"), [git], "ask", "ask", null],
  ["input for what runs", command("git status", {}, { action: "writeStdin" }), [git], "ask", "ask", null],
  ["an action that is not known", command("git status", {}, { action: "novel" }), [], "approve", "ask", null],
  [
    "rights that the rule does not name",
    command("git status", {}, { permissions: { network: { enabled: true } } }),
    [git],
    "ask",
    "ask",
    null,
  ],
  [
    "a network that the rule does not name",
    command("git status", {}, { network: { host: "x", protocol: "https" } }),
    [git],
    "ask",
    "ask",
    null,
  ],
  ["what was too large to be kept", command("git status", { asks: null }), [git], "approve", "ask", null],
  [
    "a doubt over a no is no yes",
    command("true; rm x"),
    [{ command: ["rm"], answer: "deny" }],
    "approve",
    "ask",
    null,
  ],
  [
    "nor by a rule after it",
    command("x", { cwd: null }),
    [{ cwd: "/etc", answer: "ask" }, { answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  [
    "by a word that runs another",
    command("command rm x"),
    [{ command: ["rm"], answer: "deny" }],
    "approve",
    "ask",
    null,
  ],
  [
    "by a shell of its own",
    { ...command(""), command: "/bin/dash -c 'rm x'" },
    [{ command: ["rm"], answer: "deny" }],
    "approve",
    "ask",
    null,
  ],
  ["by its path", command("/bin/rm x"), [{ command: ["rm"], answer: "deny" }], "approve", "ask", null],
  [
    "a no to what runs another is one",
    command("sudo rm x"),
    [{ command: ["sudo"], answer: "deny" }],
    "approve",
    "deny",
    "policy rule 1",
  ],
  [
    "a yes to it is none",
    command("sudo rm x"),
    [{ command: ["sudo"], answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  ["nor is a yes to what it runs", command("sudo git status"), [git], "ask", "ask", null],
  [
    "what may leave the sandbox, by a rule that does not say so",
    outside(command("git status")),
    [git],
    "ask",
    "ask",
    null,
  ],
  [
    "nor by one that names no command",
    outside(command("git status")),
    [
      { answer: "approve" },
      { kind: "command_approval", answer: "approve" },
      { outside_sandbox: false, answer: "approve" },
    ],
    "ask",
    "ask",
    null,
  ],
  [
    "but by one that says so",
    outside(command("git status")),
    [git, { ...git, outside_sandbox: true }],
    "ask",
    "approve",
    "policy rule 2",
  ],
  [
    "which approves inside it as well",
    command("git status"),
    [{ ...git, outside_sandbox: true }],
    "ask",
    "approve",
    "policy rule 1",
  ],
  [
    "permissions are more than the sandbox gives",
    outside(other("permissions_approval")),
    [{ kind: "permissions_approval", answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  [
    "a file outside the writable folder",
    outside(other("file_change_approval")),
    [{ kind: "file_change_approval", answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  [
    "a server's tool runs nowhere else: its kind says so",
    outside(other("mcp_tool_approval", { tool })),
    [{ kind: "mcp_tool_approval", answer: "approve" }],
    "ask",
    "approve",
    "policy rule 1",
  ],
  [
    "but a rule of no kind does not",
    outside(other("mcp_tool_approval", { tool })),
    [{ answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  [
    "what a person set for everything is for that too",
    outside(command("git status")),
    [],
    "approve",
    "approve",
    "policy",
  ],
  [
    "a no is for both",
    outside(command("git status")),
    [{ ...git, answer: "deny" }],
    "approve",
    "deny",
    "policy rule 1",
  ],
  [
    "a no for the outside only",
    outside(command("git status")),
    [{ ...git, outside_sandbox: true, answer: "deny" }],
    "approve",
    "deny",
    "policy rule 1",
  ],
  [
    "is none for the inside",
    command("git status"),
    [{ ...git, outside_sandbox: true, answer: "deny" }],
    "approve",
    "approve",
    "policy",
  ],
  [
    "a no for the inside only is none for the outside",
    outside(command("git status")),
    [{ ...git, outside_sandbox: false, answer: "deny" }],
    "approve",
    "approve",
    "policy",
  ],
  [
    "a file change whose files are not known",
    { ...other("file_change_approval"), changes: null },
    [{ kind: "file_change_approval", outside_sandbox: true, answer: "approve" }],
    "approve",
    "ask",
    null,
  ],
  [
    "a patch whose every file is in the folder",
    patched("/repo/a", "/repo/app/b"),
    [{ cwd: "/repo", answer: "approve" }],
    "ask",
    "approve",
    "policy rule 1",
  ],
  [
    "but no patch with one elsewhere",
    patched("/repo/a", "/etc/b"),
    [{ cwd: "/repo", answer: "approve" }],
    "ask",
    "ask",
    null,
  ],
  ["nor through a link", patched("/repo/link/a"), [{ cwd: "/repo", answer: "approve" }], "ask", "ask", null],
  [
    "a no for a folder is for any file there",
    patched("/repo/a", "/etc/b"),
    [{ cwd: "/etc", answer: "deny" }],
    "approve",
    "deny",
    "policy rule 1",
  ],
  [
    "and for none elsewhere",
    patched("/repo/a"),
    [{ cwd: "/etc", answer: "deny" }],
    "approve",
    "approve",
    "policy",
  ],
  ["what is not kept whole", { ...command("git status"), missing_bytes: 1 }, [git], "approve", "ask", null],
  [
    "an option before the subcommand, over a no",
    command("git -C . push"),
    [{ command: ["git", "push"], answer: "deny" }],
    "approve",
    "ask",
    null,
  ],
  ["nor is it a yes", command("git -C . status"), [git], "ask", "ask", null],
  [
    "a doubt over a yes is no no",
    command("true; rm x"),
    [{ command: ["rm"], answer: "approve" }],
    "deny",
    "deny",
    "policy",
  ],
];

describe("what is decided", () => {
  for (const [what, asked, rules, requests, ruling, by] of decided) {
    test(what, () => expect(said(asked, rules, requests)).toEqual({ ruling, by }));
  }

  test("the policy of a thread comes before that of the configuration, and after the rules", () => {
    const careful = asker({ requests: "deny" });
    expect(said(command("ls"), [git], "approve", careful)).toEqual({
      ruling: "deny",
      by: "policy of the thread",
    });
    expect(said(command("git status"), [git], "ask", careful).ruling).toBe("approve");
    expect(said(command("ls"), [], "deny", asker({ requests: "ask" })).ruling).toBe("ask");
  });
});

describe("a handle that an agent gave", () => {
  const named = asker({ named_by_agent: true });
  const rule = (answer: Ruling, thread = "@docs"): Rule => ({ thread, outside_sandbox: true, answer });

  test("is no match for a yes", () => {
    expect(said(command("ls"), [rule("approve")], "ask", named)).toEqual({ ruling: "ask", by: null });
    expect(said(command("ls"), [rule("approve")]).ruling).toBe("approve");
  });

  test("nor for a no, but leaves it in doubt", () => {
    expect(said(command("ls"), [{ thread: "@docs", answer: "deny" }], "approve", named).ruling).toBe("ask");
    expect(said(command("ls"), [{ thread: "@docs", answer: "deny" }], "deny", named).by).toBe("policy");
  });

  test("does not keep a rule from its ref or its id", () => {
    for (const thread of ["bcdfgh", "thread-1"])
      expect(said(command("ls"), [rule("approve", thread)], "ask", named).ruling).toBe("approve");
  });
});

test("over random rules and questions: only what is known is approved, and a command rule only its own words", () => {
  const random = seeded(20_261_122);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const maybe = <T>(make: () => T): T | undefined => (random() < 0.5 ? make() : undefined);
  const kinds = [...requestKinds, "of a later Codex"] as RequestKind[];
  const approvable = [
    "command_approval",
    "file_change_approval",
    "permissions_approval",
    "mcp_tool_approval",
  ];
  const words = ["git", "status", "rm", "ls", "sudo"];
  const lines = [
    "git status",
    "git push",
    "rm x",
    "ls",
    "git status; rm x",
    "$(rm x)",
    "git 'status",
    "A=1 git status",
    "sudo rm x",
    "/bin/rm x",
    "command git status",
    "ls\nrm",
  ];
  let approved = 0;
  for (let round = 0; round < 20_000; round++) {
    const rules = Array.from(
      { length: Math.floor(random() * 4) },
      (): Rule => ({
        kind: maybe(() => pick(kinds)),
        command: maybe(() => Array.from({ length: 1 + Math.floor(random() * 2) }, () => pick(words))),
        cwd: maybe(() => pick(["/repo", "/etc"])),
        thread: maybe(() => pick(["bcdfgh", "@docs", "@other"])),
        outside_sandbox: pick([undefined, undefined, true, false]),
        answer: pick(rulings),
      }),
    );
    const asked: DecidableRequest = {
      changes: pick([null, []]),
      inside_sandbox: random() < 0.5,
      missing_bytes: pick([0, 0, 0, 1]),
      kind: pick(kinds),
      command: maybe(() => pick(lines)) ?? null,
      cwd: maybe(() => pick(["/repo/app", "/repo/../etc", "/etc", "relative"])) ?? null,
      asks:
        maybe(() => ({
          ...nothingAsked,
          action: pick([null, "command", "writeStdin", "novel"]),
          grant_root: pick([null, null, "/"]),
          permissions: pick([null, null, {}]),
        })) ?? null,
    };
    const requests = pick(rulings);
    const caller = asker({ requests: pick([null, ...rulings]), named_by_agent: random() < 0.5 });
    const { ruling, by } = decide(asked, caller, { requests, rules }, isInside);
    if (ruling === "ask") expect(by).toBeNull();
    if (ruling !== "approve") continue;
    approved++;
    expect(approvable).toContain(asked.kind);
    expect(asked.asks).not.toBeNull();
    if (asked.kind === "command_approval") expect(asked.asks!.action).not.toBe("novel");
    expect([asked.asks!.grant_root, asked.missing_bytes]).toEqual([null, 0]);
    if (asked.kind === "file_change_approval") expect(asked.changes).not.toBeNull();
    const rule = rules[Number(/^policy rule (\d+)$/.exec(by!)?.[1]) - 1];
    if (rule?.command && asked.kind === "command_approval") {
      expect(beginsWith(parseCommand(asked.command!)!, rule.command)).toBe(true);
      expect(runsAnother(parseCommand(asked.command!)!)).toBe(false);
      expect([asked.asks!.permissions, asked.asks!.action ?? "command"]).toEqual([null, "command"]);
    }
    if (rule && !asked.inside_sandbox)
      expect(rule.outside_sandbox === true || rule.kind === "mcp_tool_approval").toBe(true);
    if (rule?.thread?.startsWith("@")) expect(caller.named_by_agent).toBe(false);
    // Whatever would have said no, had it been sure, stood in the way.
    const before = rule ? rules.slice(0, rules.indexOf(rule)) : rules;
    const noes = before.filter(
      (one) =>
        one.answer !== "approve" &&
        one.command &&
        !one.cwd &&
        !one.thread &&
        one.outside_sandbox === undefined,
    );
    if (asked.kind === "command_approval" && asked.command !== null) {
      const read = parseCommand(asked.command);
      const isDoubt = ({ kind, command }: Rule) =>
        (kind === undefined || kind === asked.kind) &&
        (!read || runsAnother(read) || mayBeginWith(read, command!));
      expect(noes.filter(isDoubt)).toEqual([]);
    }
  }
  expect(approved).toBeGreaterThan(300);
});
