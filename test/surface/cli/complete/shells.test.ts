/**
 * The scripts in the shells themselves, on a terminal: a line is typed up to TAB, and what the shell then hands to
 * `dispatch` is what counts. Those shells that this machine has.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Behaviour, type FakeDaemon, fakeDaemon } from "../../support/daemon.ts";
import { newHome, socketIn, until } from "../../support/run.ts";

setDefaultTimeout(30_000);

const root = resolve(import.meta.dir, "../../../..");
const hostile = "$(touch x)`touch y`; touch z";

/** What an agent, a person or a repository may have called things. */
const lanes = [
  { ref: "bcd234", handle: "docs", title: "Fix the docs" },
  { ref: "fgh345", handle: null, title: hostile },
  { ref: "jkm456", handle: "it.s-1", title: `it's "odd" & more!` },
];
const models = ["qwen:7b", "openai/gpt@5"].map((id) => ({
  id,
  description: id,
  efforts: [],
  service_tiers: [],
}));
const answers: Behaviour = (call, reply) => {
  if (call.op === "model.list") return reply.result({ models, aliases: {} });
  if (call.op === "request.list") return reply.result({ requests: [{ id: "s63k2s", summary: hostile }] });
  return reply.result({ threads: lanes });
};

let home = "";
let daemon: FakeDaemon;
beforeAll(() => {
  home = newHome();
  daemon = fakeDaemon(socketIn(home), answers);
  const bin = join(home, "bin");
  mkdirSync(bin);
  const program = join(bin, "dispatch");
  writeFileSync(program, `#!/bin/sh\nexec '${process.execPath}' '${join(root, "src/main.ts")}' "$@"\n`);
  chmodSync(program, 0o755);
  mkdirSync(join(home, "work/folder"), { recursive: true });
  writeFileSync(join(home, "work/file.txt"), "");
});
afterAll(() => daemon.stop());

/** Everything that a shell needs, and nothing of whoever runs the test. */
const environment = () => ({
  HOME: home,
  PATH: `${join(home, "bin")}:/usr/local/bin:/usr/bin:/bin`,
  TERM: "xterm",
  LANG: "C.UTF-8",
  DISPATCH_HOME: home,
});

// `dispatch` becomes a function that shows what it is given; the scripts call the program itself.
const shells: Record<string, { argv: string[]; setUp: string[] }> = {
  bash: {
    argv: ["bash", "--norc", "--noprofile", "-i"],
    setUp: ["source <(dispatch completion bash)", `dispatch() { printf '<%s>' "$@"; printf '!\\n'; }`],
  },
  zsh: {
    argv: ["zsh", "-f", "-i"],
    setUp: [
      "autoload -U compinit; compinit -u -D",
      "source <(dispatch completion zsh)",
      `dispatch() { printf '<%s>' "$@"; printf '!\\n'; }`,
    ],
  },
  fish: {
    argv: ["fish", "--no-config", "-i"],
    setUp: [
      "dispatch completion fish | source",
      `function dispatch; printf '<%s>' $argv; printf '!\\n'; end`,
    ],
  },
};

interface Shell {
  /** Types the line, TAB and RETURN, and gives the arguments that `dispatch` then got. */
  given(line: string): Promise<string>;
  end(): Promise<void>;
}

async function started(name: string): Promise<Shell> {
  const { argv, setUp } = shells[name]!;
  const decoder = new TextDecoder();
  let shown = "";
  const child = Bun.spawn(argv, {
    env: environment(),
    cwd: join(home, "work"),
    terminal: {
      cols: 200,
      rows: 50,
      data: (_, chunk) => {
        shown += decoder.decode(chunk, { stream: true });
      },
    },
  });
  const isShown = (what: RegExp) =>
    until(`${what} in ${name}`, () => what.test(shown), 20_000).catch((why) => {
      throw new Error(`${why}; shown: ${JSON.stringify(shown)}`);
    });
  // What is typed is shown too: only a shell that ran the line joins the two parts.
  for (const [n, command] of setUp.entries()) {
    child.terminal?.write(`${command}; echo ready''-${n}\r`);
    await isShown(new RegExp(`ready-${n}`));
  }
  return {
    async given(line) {
      shown = "";
      child.terminal?.write(`${line}\t\r`);
      const given = /(<[^\r\n]*>)!\r?\n/;
      await isShown(given);
      return given.exec(shown)![1]!;
    },
    async end() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

const everywhere: [line: string, given: string][] = [
  ["dispatch rec", "<receipt>"],
  ["dispatch request ans", "<request><answer>"],
  ["dispatch get @d", "<get><@docs>"],
  ["dispatch get @it", "<get><@it.s-1>"],
  ["dispatch get bc", "<get><bcd234>"],
  ["dispatch get Fix", "<get><Fix the docs>"],
  ["dispatch get Fix\\ th", "<get><Fix the docs>"],
  ["dispatch get 'Fix th", "<get><Fix the docs>"],
  ['dispatch get "Fix th', "<get><Fix the docs>"],
  ["dispatch get '$(to", `<get><${hostile}>`],
  ["dispatch get \\$\\(to", `<get><${hostile}>`],
  ["dispatch get it", `<get><it's "odd" & more!>`],
  ["dispatch request answer s", "<request><answer><s63k2s>"],
  ["dispatch new --model qw", "<new><--model><qwen:7b>"],
  ["dispatch new --model qwen:", "<new><--model><qwen:7b>"],
  ["dispatch new --model=qwen:", "<new><--model=qwen:7b>"],
  ["dispatch new --model=openai/gpt@", "<new><--model=openai/gpt@5>"],
  ["dispatch list --status=i", "<list><--status=idle>"],
  ["dispatch list --unm", "<list><--unmanaged>"],
  ["dispatch send x --text-file fi", "<send><x><--text-file><file.txt>"],
  ["dispatch send x --text-file=fi", "<send><x><--text-file=file.txt>"],
  ["dispatch new --cwd fo", "<new><--cwd><folder>"],
  ["dispatch new --cwd=fo", "<new><--cwd=folder>"],
];

for (const name of Object.keys(shells).filter((one) => Bun.which(one) !== null))
  describe(name, () => {
    let shell: Shell;
    beforeAll(async () => {
      shell = await started(name);
    });
    afterAll(() => shell.end());

    for (const [line, given] of everywhere)
      test(`${line}|`, async () => {
        // Some shells take the slash behind a directory back.
        expect((await shell.given(line)).replace("/>", ">")).toBe(given);
        // Nothing was run that is only what something is called, and nothing was started.
        expect(readdirSync(join(home, "work")).sort()).toEqual(["file.txt", "folder"]);
        expect(existsSync(join(home, "registry.db"))).toBe(false);
      });
  });
