/**
 * The product as a user has it: the compiled binary, the real Codex, a provider on loopback, and homes of its own.
 * Nothing here reaches into the daemon; what a test knows, it was told by a command.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { codes, type ErrorBody } from "../../src/base/error.ts";
import { identityOf, isAlive, type ProcessFacts } from "../../src/base/identity.ts";
import { type CodexHome, codexExecutable, codexHome } from "./codex.ts";
import { type Following, follow, type Screen, screen } from "./dispatch-live.ts";
import { type Provider, startProvider } from "./provider.ts";
import { type Step, stringify } from "./provider-script.ts";

export const binary = resolve(import.meta.dir, "../../dist/dispatch");

export type Json = Record<string, unknown>;

export interface More {
  stdin?: string | Uint8Array;
  /** `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
  cwd?: string;
}

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
  /** Of stdout. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any answer, and what is not there fails it
  json: any;
  /** Of stderr's last line. */
  error: ErrorBody;
}

export interface Rig {
  provider: Provider;
  codex: CodexHome;
  /** DISPATCH_HOME. */
  home: string;
  env: Record<string, string>;
  run(args: readonly string[], more?: More): Promise<Ran>;
  /** The answer of a command that must succeed. */
  ask(args: readonly string[], more?: More): Promise<Ran["json"]>;
  /** The error of a command that must fail; its stdout was empty and its exit status the table's. */
  refused(args: readonly string[], more?: More): Promise<ErrorBody>;
  /** A command that streams. */
  stream(args: readonly string[], more?: More): Following;
  /** A command on a terminal of 80 columns. */
  screen(
    args: readonly string[],
    more?: More & { columns?: number; typed?: [shown: string, keys: string][] },
  ): Promise<Screen>;
  /** A thread with its first turn over, or with none when there is no script. */
  thread(name: string, script?: Step[] | string, flags?: readonly string[]): Promise<Ran["json"]>;
  /** What the shell of a thread printed. */
  shell(thread: string, command: string): Promise<string>;
  pids(): Promise<{ daemon: number; child: number | null }>;
  dispose(): Promise<void>;
}

export interface RigOptions {
  /** Added to Codex's config.toml. */
  config?: string;
  env?: Record<string, string>;
  /** Codex's plugins are on. */
  hasPlugins?: boolean;
  /** The last part of DISPATCH_HOME. */
  homeName?: string;
}

export function dispatchRig(options: RigOptions = {}): Rig {
  if (!existsSync(binary)) throw new Error(`no ${binary}: run scripts/build first`);
  const provider = startProvider();
  const codex = codexHome(provider.url, options.config, { hasPlugins: options.hasPlugins === true });
  const base = mkdtempSync(join(tmpdir(), "dispatch-"));
  const home = join(base, options.homeName ?? "home");
  const env = { ...codex.env, DISPATCH_HOME: home, DISPATCH_CODEX: codexExecutable(), ...options.env };
  const seen = new Map<number, ProcessFacts>();

  const spawnEnv = (more: More) => ({ ...env, ...more.env });
  const run: Rig["run"] = (args, more = {}) =>
    execute(args, more.cwd ?? codex.cwd, spawnEnv(more), more.stdin);

  const ask: Rig["ask"] = async (args, more) => {
    const ran = await run(args, more);
    if (ran.code !== 0) throw new Error(`dispatch ${args.join(" ")} ended with ${ran.code}: ${ran.stderr}`);
    return ran.json;
  };

  /** For `dispose`: processes are told by their start, since a pid alone may be a stranger's by then. */
  const remember = (pid: number | null) => {
    const facts = pid === null ? undefined : identityOf(pid);
    if (facts) seen.set(facts.pid, facts);
  };

  const pids: Rig["pids"] = async () => {
    const { pid, child } = await ask(["daemon", "status"]);
    remember(pid);
    remember(child.pid);
    return { daemon: pid, child: child.pid };
  };

  return {
    provider,
    codex,
    home,
    env,
    run,
    ask,
    pids,
    async refused(args, more) {
      const { code, stdout, error } = await run(args, more);
      if (code === 0) throw new Error(`dispatch ${args.join(" ")} was not refused: ${stdout}`);
      if (stdout !== "") throw new Error(`beside an error stdout is empty, not: ${stdout}`);
      if (codes[error.code].exit !== code) throw new Error(`${error.code} ended with ${code}`);
      return error;
    },
    stream: (args, more = {}) =>
      follow([binary, ...args], { cwd: more.cwd ?? codex.cwd, env: spawnEnv(more) }),
    screen: (args, more = {}) =>
      screen([binary, ...args], {
        cwd: more.cwd ?? codex.cwd,
        env: { TERM: "xterm-256color", ...spawnEnv(more) },
        columns: more.columns ?? 80,
        ...(more.typed ? { typed: more.typed } : {}),
      }),
    async thread(name, script, flags = []) {
      const text = typeof script === "string" || script === undefined ? script : stringify(script);
      const created = await ask([
        "new",
        "--name",
        name,
        ...flags,
        ...(text === undefined ? [] : ["--text", text]),
      ]);
      if (text === undefined) return created;
      await ask(["wait", created.ref, "--timeout", "30"]);
      return ask(["get", created.ref]);
    },
    async shell(thread, command) {
      const text = stringify([{ shell: command }, { say: "that is all" }]);
      await ask(["send", thread, text, "--wait", "--timeout", "40"]);
      const { items } = await ask(["tail", thread, "--full"]);
      return items.findLast((item: Json) => item["type"] === "command").text;
    },
    async dispose() {
      const status = await run(["daemon", "status"]).catch(() => undefined);
      if (status?.code === 0) {
        remember(status.json.pid);
        remember(status.json.child.pid);
      }
      // A start that is told to stop may not: what is left is ended by what the kernel says of it.
      await run(["down", "--force"]).catch(() => undefined);
      for (const facts of seen.values()) if (isAlive(facts)) process.kill(facts.pid, "SIGKILL");
      await provider.stop();
      codex.cleanup();
      rmSync(base, { recursive: true, force: true });
    },
  };
}

/** A folder of its own inside the rig's, by name. */
export function folderIn(rig: Rig, name: string): string {
  const folder = join(rig.codex.cwd, name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

const commandMs = 60_000;

async function execute(
  args: readonly string[],
  cwd: string,
  env: Record<string, string | undefined>,
  stdin: More["stdin"],
): Promise<Ran> {
  const child = Bun.spawn([binary, ...args], {
    cwd,
    env,
    stdin: stdin === undefined ? "ignore" : new Blob([stdin as string]),
    stdout: "pipe",
    stderr: "pipe",
    timeout: commandMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (child.signalCode === "SIGKILL") throw new Error(`dispatch ${args.join(" ")} hung: ${stdout}${stderr}`);
  return {
    code,
    stdout,
    stderr,
    get json() {
      return JSON.parse(stdout);
    },
    get error() {
      return (JSON.parse(stderr.trim().split("\n").at(-1) ?? "") as { error: ErrorBody }).error;
    },
  };
}
