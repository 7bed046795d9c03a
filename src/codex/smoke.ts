/** Tests Codex for `doctor`: starts a private child, opens a thread, and ends the child. It needs no daemon. */
import type { Clock } from "../base/clock.ts";
import { DispatchError, errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Log } from "../base/log.ts";
import type { Env } from "../base/spawn.ts";
import type { AgentSink, RawLine } from "../core/model/ports/agent.ts";
import { correctConfig, isRefusal } from "./errors.ts";
import { type Json, object, text } from "./read.ts";
import { type ChildSession, startSession } from "./session.ts";
import { signal } from "./signal.ts";
import { warningOf } from "./warnings.ts";

export interface Smoke {
  version: string | null;
  codex_home: string | null;
  /** Codex's warnings about its configuration, and MCP servers that do not start. Codex works in spite of them. */
  warnings: string[];
  /** The configured provider needs a login, and there is none. */
  requires_login: boolean;
  error: { message: string; hint: string | null } | null;
}

export async function smoke(deps: {
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
  let session: ChildSession | undefined;
  const patience = new AbortController();
  const servers = mcpServers();
  try {
    const warned = (words: string) => void seen.warnings.push(words);
    const path = await deps.executable();
    session = startSession(
      {
        ...deps,
        sink: nullSink,
        taps: new Set([servers.hear]),
        warned,
        garbage: () => {},
        capabilities: noCapabilities,
      },
      path,
    );
    const isDone = await Promise.race([
      openThread(session, seen, servers.expect).then(() => true),
      deps.clock.sleep(deps.timeoutMs, patience.signal).then(() => false),
    ]);
    if (isDone) await servers.settled(deps.clock);
    else {
      const within = `within ${deps.timeoutMs / 1000} s`;
      // A configuration that cannot be loaded is refused at once: only MCP servers take their time.
      if (!servers.areAwaited()) fail("timeout", session.printed.explain(`codex did not finish ${within}`));
      warned(`codex opened no thread ${within}: it waits for the MCP servers that are required`);
    }
    seen.warnings.push(...servers.faults());
  } catch (thrown) {
    const message = errorMessage(thrown);
    const hint = thrown instanceof DispatchError ? thrown.hint : null;
    seen.error = {
      message,
      hint: isRefusal(thrown, "bad_config") ? correctConfig(message, seen.codex_home) : hint,
    };
  } finally {
    patience.abort();
    await session?.end();
    await session?.exited;
  }
  return seen;
}

async function openThread(
  session: ChildSession,
  seen: Smoke,
  expectServers: (config: Json | undefined) => void,
): Promise<void> {
  const started = await session.started;
  // Without its hint, which names `dispatch doctor` itself.
  if (started.kind !== "up") throw new DispatchError("agent_down", started.error.message);
  Object.assign(seen, started.hello);
  const account = await session.rpc.read("account/read", {});
  seen.requires_login = account["requiresOpenaiAuth"] === true && object(account["account"]) === undefined;
  // The next call says what is wrong with a configuration that cannot be read.
  const config = await session.rpc.read("config/read", {}).catch(() => undefined);
  expectServers(object(config?.["config"]));
  // Only this finds a configuration that cannot be loaded: `initialize` succeeds with defaults (facts F63).
  await session.rpc.call("thread/start", { ephemeral: true }, { timeoutMs: limits.codex.loadTimeoutMs });
}

/** The MCP servers of Codex's configuration. They start with a thread, and the answer does not wait for them. */
function mcpServers() {
  /** By name: undefined before the start, null when it works, else its fault. */
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

/** Nothing of this child is recorded, because it ends with the test. */
const nullSink: AgentSink = {
  onSpawn: () => 0,
  onReady: () => {},
  onEvents: () => {},
  onExit: () => false,
};

/** Another check reads the features. */
const noCapabilities = () => Promise.resolve(undefined);
