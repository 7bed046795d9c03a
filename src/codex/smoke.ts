/** Does Codex work here? A private child is started, asked, and ended: for `doctor`, with or without a daemon. */
import type { Clock } from "../base/clock.ts";
import { DispatchError, errorMessage } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Env } from "../base/spawn.ts";
import type { AgentSink, RawLine } from "../core/model/ports/agent.ts";
import { type ChildSession, startSession } from "./life.ts";
import { type Json, object, text } from "./read.ts";
import { signal } from "./signal.ts";
import { warningOf } from "./warnings.ts";

export interface Smoke {
  version: string | null;
  codex_home: string | null;
  /** Codex's own words on its configuration and on MCP servers that do not start; it works in spite of them. */
  warnings: string[];
  /** The configured provider wants a login, and there is none. */
  requires_login: boolean;
  error: { message: string; hint: string | null } | null;
}

export async function smoke(world: {
  clock: Clock;
  log: Log;
  env: Env;
  version: string;
  executable(): Promise<string>;
  timeoutMs: number;
}): Promise<Smoke> {
  const seen: Smoke = {
    version: null,
    codex_home: null,
    warnings: [],
    requires_login: false,
    error: null,
  };
  let life: ChildSession | undefined;
  const patience = new AbortController();
  const servers = mcpServers();
  try {
    const warned = (words: string) => void seen.warnings.push(words);
    const path = await world.executable();
    life = startSession(
      {
        ...world,
        sink: nobody,
        taps: new Set([servers.hear]),
        warned,
        garbage: () => {},
        capabilities: untold,
      },
      path,
    );
    const isDone = await Promise.race([
      ask(life, seen, servers.expect).then(() => true),
      world.clock.sleep(world.timeoutMs, patience.signal).then(() => false),
    ]);
    if (isDone) await servers.settled(world.clock);
    else {
      const within = `within ${world.timeoutMs / 1000} s`;
      // A configuration that cannot be loaded is refused at once: only MCP servers take their time.
      if (!servers.areAwaited()) throw new DispatchError("timeout", `codex did not finish ${within}`);
      warned(`codex opened no thread ${within}: it waits for the MCP servers that are required`);
    }
    seen.warnings.push(...servers.faults());
  } catch (thrown) {
    seen.error = {
      message: errorMessage(thrown),
      hint: thrown instanceof DispatchError ? thrown.hint : null,
    };
  } finally {
    patience.abort();
    await life?.end();
    await life?.exited;
  }
  return seen;
}

async function ask(
  life: ChildSession,
  seen: Smoke,
  expectServers: (config: Json | undefined) => void,
): Promise<void> {
  const started = await life.started;
  // Without its hint: that one leads to doctor, which is asking.
  if (started.kind !== "up") throw new DispatchError("agent_down", started.error.message);
  Object.assign(seen, started.hello);
  const account = await life.rpc.read("account/read", {});
  seen.requires_login = account["requiresOpenaiAuth"] === true && object(account["account"]) === undefined;
  // The next call says what is wrong with a configuration that cannot be read.
  const config = await life.rpc.read("config/read", {}).catch(() => undefined);
  expectServers(object(config?.["config"]));
  // Only this finds a configuration that cannot be loaded: `initialize` falls back to defaults and succeeds.
  await life.rpc.call("thread/start", { ephemeral: true }, { timeoutMs: limits.codex.loadTimeoutMs });
}

/** The MCP servers of Codex's configuration. They start beside a thread, and the answer does not wait for them. */
function mcpServers() {
  /** By name: undefined until it began to start, null once it works, else what is wrong. */
  const states = new Map<string, string | null | undefined>();
  const changed = signal();
  /** Some server keeps a thread from being opened until it is up. Codex reports nothing of one meanwhile. */
  let isRequired = false;
  const isPending = (state: string | null | undefined) => state === undefined || state === unfinished;
  return {
    expect(config: Json | undefined): void {
      for (const [name, server] of Object.entries(object(config?.["mcp_servers"]) ?? {})) {
        if (object(server)?.["enabled"] === false) continue;
        isRequired ||= object(server)?.["required"] === true;
        if (!states.has(name)) states.set(name, undefined);
      }
    },
    hear({ method, line }: RawLine): void {
      const params = object(line["params"]) ?? {};
      const name = text(params["name"]);
      if (method !== "mcpServer/startupStatus/updated" || name === null) return;
      const isStarting = params["status"] === "starting";
      states.set(name, isStarting ? unfinished : (warningOf(method, params)?.words ?? null));
      changed.fire();
    },
    async settled(clock: Clock): Promise<void> {
      let isOver = false;
      const end = clock.after(limits.doctor.serversMs, () => {
        isOver = true;
        changed.fire();
      });
      while ([...states.values()].some(isPending) && !isOver) await changed.next();
      end();
    },
    areAwaited: () => isRequired || [...states.values()].includes(unfinished),
    faults: () =>
      [...states].flatMap(([name, state]) =>
        isPending(state) ? [`MCP server ${name} ${unfinished}`] : (state ?? []),
      ),
  };
}

const unfinished = "had not started when doctor stopped waiting";

/** Nothing is recorded of this child: it ends with the question. */
const nobody: AgentSink = {
  onSpawn: () => 0,
  onReady: () => {},
  onEvents: () => {},
  onExit: () => false,
};

/** What it offers is a question of its own. */
const untold = () => Promise.resolve(undefined);
