/** A Codex home, a scripted provider, and app-servers over them: started, killed, and read back by another. */
import { afterAll, beforeAll } from "bun:test";
import { type CodexHome, codexHome } from "../../support/codex.ts";
import { type Provider, startProvider } from "../../support/provider.ts";
import { type Step, stringify } from "../../support/provider-script.ts";
import { type AppServer, type Json, Refused, spawnAppServer } from "./app-server.ts";

export interface Rig {
  provider: Provider;
  home: CodexHome;
  /** Initialized. */
  server(command?: string[]): Promise<AppServer>;
}

/** One for each file of tests. Whatever was started is killed at its end. */
export function rig(): Rig {
  const servers: AppServer[] = [];
  const made = {} as Rig;
  beforeAll(() => {
    made.provider = startProvider();
    made.home = codexHome(made.provider.url);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    await made.provider.stop();
    made.home.cleanup();
  });
  made.server = async (command) => {
    const server = spawnAppServer(made.home.env, command);
    servers.push(server);
    await server.call("initialize", {
      clientInfo: { name: "facts", version: "0" },
      capabilities: { experimentalApi: true },
    });
    return server;
  };
  return made;
}

export interface Thread {
  id: string;
  path: string;
  opened: Json;
}

let names = 0;

/** A thread that has a name, which is what makes it durable. */
export async function namedThread(server: AppServer, params: Json = {}): Promise<Thread> {
  const thread = await plainThread(server, params);
  await server.call("thread/name/set", { threadId: thread.id, name: `fact ${++names}` });
  return thread;
}

export async function plainThread(server: AppServer, params: Json = {}): Promise<Thread> {
  const opened = await server.call("thread/start", params);
  const { id, path } = opened["thread"] as { id: string; path: string };
  return { id, path, opened };
}

/** `turn/start`; answers the id of the turn that it is in. */
export async function startTurn(
  server: AppServer,
  threadId: string,
  text: string | Step[],
  clientId: string = crypto.randomUUID(),
  more: Json = {},
): Promise<string> {
  const answer = await server.call("turn/start", { ...said(threadId, text, clientId), ...more });
  return (answer["turn"] as { id: string }).id;
}

export function said(threadId: string, text: string | Step[], clientUserMessageId: string): Json {
  const words = typeof text === "string" ? text : stringify(text);
  return { threadId, input: [{ type: "text", text: words, text_elements: [] }], clientUserMessageId };
}

/** Our message stands completed in a turn. */
export function messageDone(server: AppServer, clientId: string): Promise<Json> {
  return server.heard("item/completed", isMessage(clientId));
}

export function isMessage(clientId: string): (params: Json) => boolean {
  return ({ item }) => (item as Json)["clientId"] === clientId;
}

export async function turnOver(server: AppServer, turnId: string): Promise<Turn> {
  const { turn } = await server.heard("turn/completed", (params) => (params["turn"] as Turn).id === turnId);
  return turn as Turn;
}

export interface Turn {
  id: string;
  status: string;
  items: { type: string; clientId?: string; content?: { text: string }[] }[];
}

/** Newest first, read from disk: the thread need not be loaded. A thread without a turn may refuse to list them. */
export async function turnsOf(server: AppServer, threadId: string): Promise<Turn[]> {
  try {
    const page = await server.call("thread/turns/list", { threadId, itemsView: "full" });
    return page["data"] as Turn[];
  } catch (thrown) {
    if (thrown instanceof Refused && /not supported yet|not materialized|no rollout/.test(thrown.message))
      return [];
    throw thrown;
  }
}

export async function clientIdsOf(server: AppServer, threadId: string): Promise<string[]> {
  const turns = await turnsOf(server, threadId);
  return turns.reverse().flatMap((turn) => turn.items.flatMap((item) => item.clientId ?? []));
}

export async function pathOf(server: AppServer, threadId: string): Promise<string> {
  const { thread } = await server.call("thread/read", { threadId, includeTurns: false });
  return (thread as { path: string }).path;
}

/** The words of a refusal; an answer fails the test. */
export async function refusalOf(call: Promise<Json>): Promise<string> {
  return call.then(
    () => Promise.reject(new Error("it was not refused")),
    (thrown: unknown) => {
      if (thrown instanceof Refused) return thrown.message;
      throw thrown;
    },
  );
}

/** Of what depends on the moment of a kill: not seen this time is no failure, and worth a line. */
export function note(words: string): void {
  console.log(`      note: ${words}`);
}
