/** What a command line surely runs, and every way of a shell to make more of it. */
import { describe, expect, test } from "bun:test";
import { beginsWith, mayBeginWith, parseCommand, runsAnother } from "../../../src/core/policy/command.ts";
import { seeded } from "../../support/seeded.ts";

const sure: [line: string, words: string[]][] = [
  ["git status", ["git", "status"]],
  ["/bin/bash -lc 'git status'", ["git", "status"]],
  ["/bin/bash -lc git", ["git"]],
  ["bash -c 'git log --oneline'", ["git", "log", "--oneline"]],
  [`/bin/zsh -lc "git commit -m 'a word'"`, ["git", "commit", "-m", "a word"]],
  [`/bin/bash -lc 'git commit -m "a *"'`, ["git", "commit", "-m", "a *"]],
  ["  npm   test  ", ["npm", "test"]],
  ["git diff HEAD~1 HEAD^", ["git", "diff", "HEAD~1", "HEAD^"]],
  ["make CC=gcc", ["make", "CC=gcc"]],
  ["echo é", ["echo", "é"]],
  ["''", [""]],
  // Not a shell's own place: what runs is that file.
  ["/tmp/bash -lc 'git status'", ["/tmp/bash", "-lc", "git status"]],
  ["./bash -lc 'git status'", ["./bash", "-lc", "git status"]],
  ["fish -c 'git status'", ["fish", "-c", "git status"]],
  // One wrapping is Codex's; a second one is the command.
  [`/bin/bash -lc "bash -c 'git status'"`, ["bash", "-c", "git status"]],
  ["env git status", ["env", "git", "status"]],
  ["sudo git status", ["sudo", "git", "status"]],
];

for (const [line, words] of sure) {
  test(`${line} is ${JSON.stringify(words)}`, () => expect(parseCommand(line)).toEqual(words));
}

/** All of them begin with the words of a rule, or would once a shell has read them. */
const tricks = [
  "git status; rm -rf x",
  "git status;rm",
  "git status && rm x",
  "git status & rm x",
  "git status || rm x",
  "git status | sh",
  "git status |& sh",
  "git status $(rm x)",
  "git status `rm x`",
  "git status <(rm x)",
  "git status > /etc/passwd",
  "git status >> x",
  "git status 2>x",
  "git status < x",
  "git status <<< x",
  "git status\nrm x",
  "git status\r\nrm x",
  "git status\u2028rm x",
  "git status\u0000",
  "git status\trm",
  "git\u00a0status",
  "git\u200bstatus",
  "git $IFS",
  ["git $", "{IFS}status"].join(""),
  "git $'\\n'rm",
  'git $"x"',
  'git "$(rm x)"',
  'git "`rm x`"',
  "git 'a;b'",
  "git sta\\tus",
  "git status \\\nrm x",
  "git status 'unbalanced",
  'git status "unbalanced',
  "git status 'a\"b",
  "git *",
  "git ?",
  "git [a-z]",
  "git {status,log}",
  "git ~",
  "git --x=~",
  "git status # comment",
  "! git status",
  "(git status)",
  "{ git status; }",
  "A=1 git status",
  "A= git status",
  "PATH=/tmp git status",
  "",
  "   ",
];

describe("not sure, so no reading at all", () => {
  for (const line of tricks) {
    test(JSON.stringify(line), () => {
      expect(parseCommand(line)).toBeUndefined();
      expect(parseCommand(`/bin/bash -lc ${quoted(line)}`)).toBeUndefined();
    });
  }
});

/** As Codex quotes it. */
function quoted(script: string): string {
  return script.includes("'") ? `"${script.replace(/[$`"\\]/g, "\\$&")}"` : `'${script}'`;
}

test("a prefix is of whole words", () => {
  expect(beginsWith(["git", "status", "-s"], ["git", "status"])).toBe(true);
  expect(beginsWith(["git", "statusx"], ["git", "status"])).toBe(false);
  expect(beginsWith(["git"], ["git", "status"])).toBe(false);
  expect(beginsWith(["git status"], ["git", "status"])).toBe(false);
  expect(beginsWith(["git"], [])).toBe(false);
});

test("by its path or by its name, it may be the same command", () => {
  expect(mayBeginWith(["/bin/rm", "-r", "x"], ["rm", "-r"])).toBe(true);
  expect(mayBeginWith(["RM", "x"], ["/bin/rm"])).toBe(true);
  expect(mayBeginWith(["/bin/rmdir", "x"], ["rm"])).toBe(false);
  expect(mayBeginWith(["/bin/rm", "/bin/x"], ["rm", "x"])).toBe(false);
});

const runners = [
  "command",
  "builtin",
  "exec",
  "eval",
  "time",
  "coproc",
  ".",
  "source",
  "env",
  "nohup",
  "xargs",
  "sudo",
  "doas",
  "nice",
  "timeout 5",
  "stdbuf -o0",
  "setsid",
  "busybox",
  "/usr/bin/env",
  "./env",
  "SUDO",
  "/bin/dash -c",
  "fish -c",
  "/tmp/bash -lc",
  "bash -x -c",
  "find x -exec",
];

describe("what makes another word the command", () => {
  for (const runner of runners) {
    test(runner, () => {
      expect(runsAnother(parseCommand(`${runner} 'rm x'`)!)).toBe(true);
      expect(runsAnother(parseCommand(`/bin/bash -lc ${quoted(`${runner} rm x`)}`)!)).toBe(true);
    });
  }

  test("is not a command like any other, nor the one wrapping that is Codex's", () => {
    for (const line of ["git status", "rm x", "find . -name x", "environment", "/bin/bash -lc 'rm x'", "''"])
      expect([line, runsAnother(parseCommand(line)!)]).toEqual([line, false]);
  });
});

test("whatever is glued behind sure words with what a shell acts on is never read", () => {
  const glue = [";", "&", "|", "`", "$(", "$x", "<", ">", "(", ")", "\\", "\n", "\r", "\u0007"];
  const random = seeded(4711);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const pieces = ["a", "git", " ", "'x'", '"y z"', "--flag", "=", "-", "/", "é"];
  for (let round = 0; round < 5000; round++) {
    const filler = () => Array.from({ length: Math.floor(random() * 4) }, () => pick(pieces)).join("");
    const line = `git status${filler()}${pick(glue)}${filler()}`;
    expect([line, parseCommand(line)]).toEqual([line, undefined]);
    expect([line, parseCommand(`/bin/bash -lc ${quoted(line)}`)]).toEqual([line, undefined]);
  }
});

const doubts: [line: string, rule: string][] = [
  ["git -C . push", "git push"],
  ["git --git-dir=x push", "git push"],
  ["git --git-dir x push origin", "git push"],
  ["git -c a=b -c c=d push", "git push"],
  ["git --no-pager push", "git push"],
  ["/usr/bin/git -C . push", "git push"],
  ["GIT push", "git push"],
  ["/usr/lib/git-core/git-push origin", "git push"],
  ["npm --prefix x run deploy", "npm run deploy"],
  ["npm run --silent deploy", "npm run deploy"],
  ["kubectl -n prod delete pod x", "kubectl delete"],
  ["docker --context x rm y", "docker rm"],
  ["docker compose -f x up", "docker compose up"],
  ["docker-compose -f x up", "docker compose up"],
  ["cargo +nightly publish", "cargo publish"],
  ["git push origin --force", "git push --force"],
  ["rm -r -f x", "rm -f"],
  ["rm -fr x", "rm -rf"],
  ["rm -r -f x", "rm -rf"],
  ["rm x -rfv", "rm -rf x"],
  ["git push --force=true", "git push --force"],
  ["/bin/rm x", "rm"],
];

for (const [line, rule] of doubts) {
  test(`${line} may be a case of ${rule}`, () => {
    const [words, prefix] = [parseCommand(line)!, parseCommand(rule)!];
    expect([beginsWith(words, prefix), mayBeginWith(words, prefix)]).toEqual([false, true]);
  });
}

const misses: [line: string, rule: string][] = [
  ["git commit -m push", "git push"],
  ["git stash push", "git push"],
  ["git log --grep x push", "git push"],
  ["git status", "git push"],
  ["npm install run", "npm run"],
  ["gitk push", "git push"],
  ["echo git push", "git push"],
  ["git", "git push"],
  ["rm -r x", "rm -rf"],
];

for (const [line, rule] of misses) {
  test(`${line} is surely none of ${rule}`, () => {
    expect(mayBeginWith(parseCommand(line)!, parseCommand(rule)!)).toBe(false);
  });
}

test("options with a value or without, before any word of a rule, never make it a sure miss", () => {
  const random = seeded(20_261_128);
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)]!;
  const rules = ["git push", "npm run deploy", "docker compose up", "rm", "kubectl delete pod x"];
  const options = ["-v", "--no-pager", "-C .", "-c a=b", "--prefix x", "--dir=y", "+nightly"];
  for (let round = 0; round < 2000; round++) {
    const prefix = pick(rules).split(" ");
    const spread = prefix.flatMap((word, at) => [
      ...(at === 0 ? [] : Array.from({ length: Math.floor(random() * 4) }, () => pick(options))),
      at === 0 ? pick([word, `/usr/bin/${word}`, word.toUpperCase()]) : word,
    ]);
    const line = [...spread, ...(random() < 0.5 ? ["more"] : [])].join(" ");
    expect([line, mayBeginWith(parseCommand(line)!, prefix)]).toEqual([line, true]);
  }
});
