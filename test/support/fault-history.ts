/** What really stands in Codex: its threads and their texts, told by an app-server of our own after dispatch is gone. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { spawnGroup } from "../../src/base/spawn.ts";
import { codexExecutable } from "./codex.ts";

type Json = Record<string, unknown>;

export interface History {
  /** Threads that Codex lists: those with a first message. */
  listed: { id: string; name: string | null }[];
  /** Threads that left a file, listed or not. */
  stored: Set<string>;
  /** Per thread, the ids of the messages in it, oldest first; a message twice is here twice. */
  texts: Map<string, string[]>;
  /** Ids of injected items, as often as they stand in a file. */
  injected: string[];
}

export async function historyIn(env: Record<string, string>, codexHome: string): Promise<History> {
  const rollouts = rolloutsIn(join(codexHome, "sessions"));
  const codex = appServer(env);
  try {
    await codex.call("initialize", {
      clientInfo: { name: "history", version: "0" },
      capabilities: { experimentalApi: true },
    });
    const listed = await pages(codex, "thread/list", { modelProviders: [], limit: 100 });
    const texts = new Map<string, string[]>();
    for (const { thread } of rollouts) texts.set(thread, await textsOf(codex, thread));
    return {
      listed: listed.map(({ id, name }) => ({ id: String(id), name: (name as string | null) ?? null })),
      stored: new Set(rollouts.map(({ thread }) => thread)),
      texts,
      injected: rollouts.flatMap(({ path }) => injectedIn(path)),
    };
  } finally {
    codex.end();
  }
}

async function textsOf(codex: AppServer, threadId: string): Promise<string[]> {
  const asked = { threadId, limit: 10, sortDirection: "asc", itemsView: "full" };
  const turns = await pages(codex, "thread/turns/list", asked).catch((thrown: Error) => {
    if (/not materialized|not supported yet/.test(thrown.message)) return [];
    throw thrown;
  });
  return turns
    .flatMap((turn) => turn["items"] as Json[])
    .filter((item) => item["type"] === "userMessage")
    .map((item) => String(item["clientId"]));
}

async function pages(codex: AppServer, method: string, params: Json): Promise<Json[]> {
  const all: Json[] = [];
  for (let cursor: unknown = null; ; ) {
    const page = await codex.call(method, { ...params, cursor });
    all.push(...(page["data"] as Json[]));
    cursor = page["nextCursor"] ?? null;
    if (cursor === null) return all;
  }
}

function rolloutsIn(folder: string): { thread: string; path: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .flatMap((entry) => {
      const thread = /([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.jsonl$/.exec(entry.name)?.[1];
      const path = join(entry.parentPath, entry.name);
      // Without one whole line it is the rest of a kill, and to Codex no thread.
      const isThread = thread !== undefined && readFileSync(path).includes("\n");
      return isThread ? [{ thread, path }] : [];
    });
}

function injectedIn(path: string): string[] {
  const ids: string[] = [];
  for (const line of readFileSync(path, "utf8").split("\n")) {
    const id = /^\{.*"type":"response_item".*"id":"([^"]+)"/.test(line) ? itemId(line) : undefined;
    if (id !== undefined) ids.push(id);
  }
  return ids;
}

function itemId(line: string): string | undefined {
  try {
    return (JSON.parse(line) as { payload?: { id?: string } }).payload?.id;
  } catch {
    // A kill may leave half a line at the end.
    return undefined;
  }
}

interface AppServer {
  call(method: string, params: Json): Promise<Json>;
  end(): void;
}

function appServer(env: Record<string, string>): AppServer {
  const child = spawnGroup([codexExecutable(), "app-server"], { env, cwd: "/" });
  const waiting = new Map<number, PromiseWithResolvers<Json>>();
  let lastId = 0;
  void (async () => {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { id, result, error } = JSON.parse(line) as { id?: number; result?: Json; error?: Json };
        const call = id === undefined ? undefined : waiting.get(id);
        if (error) call?.reject(new Error(String(error["message"])));
        else call?.resolve(result ?? {});
      }
    }
  })();
  void new Response(child.stderr).text();
  return {
    async call(method, params) {
      const id = ++lastId;
      const answer = Promise.withResolvers<Json>();
      waiting.set(id, answer);
      child.write(`${JSON.stringify({ id, method, params })}\n`);
      const late = setTimeout(() => answer.reject(new Error(`Codex never answered ${method}`)), 20_000);
      return answer.promise.finally(() => clearTimeout(late));
    },
    end: () => child.signal("SIGKILL"),
  };
}
