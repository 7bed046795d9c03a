/** The app-server and nothing in between: lines in, lines out. What the product believes of it is not asked here. */
import { codexExecutable } from "../../support/codex.ts";

export type Json = Record<string, unknown>;

/** A notification, or a request of the server's own. */
export interface Note {
  method: string;
  params: Json;
  /** Of a request. */
  id?: number;
}

export interface AppServer {
  pid: number;
  /** Resolves with the result, rejects with a Refused. */
  call(method: string, params: Json): Promise<Json>;
  /** One line as it is. */
  write(line: string): void;
  /** All that was told so far, in order. */
  notes: Note[];
  /** The first note that fits, told already or still to come. */
  heard(method: string, fits?: (params: Json) => boolean): Promise<Json>;
  /** Calls at once, in the turn of the read, when such a note comes. */
  on(method: string, act: (params: Json) => void): void;
  /** kill -9; resolves when it is reaped. */
  kill(): Promise<void>;
}

export class Refused extends Error {
  constructor(
    readonly code: number,
    words: string,
  ) {
    super(words);
  }
}

interface Waiting {
  resolve(result: Json): void;
  reject(refused: Refused): void;
}

const deadlineMs = 15_000;

/** `command` stands between us and the app-server, for a test of what becomes of one whose owner dies. */
export function spawnAppServer(env: Record<string, string>, command: string[] = []): AppServer {
  const child = Bun.spawn([...command, codexExecutable(), "app-server"], {
    env,
    cwd: "/",
    stdio: ["pipe", "pipe", "ignore"],
  });
  const waiting = new Map<number, Waiting>();
  const notes: Note[] = [];
  const listeners: { method: string; act(params: Json): void }[] = [];
  let lastId = 0;

  const take = (message: Json) => {
    const { id, method, result, error } = message as {
      id?: number;
      method?: string;
      result?: Json;
      error?: Json;
    };
    if (method !== undefined) {
      const params = (message["params"] ?? {}) as Json;
      notes.push({ method, params, ...(id === undefined ? {} : { id }) });
      for (const one of [...listeners]) if (one.method === method) one.act(params);
      return;
    }
    const call = waiting.get(id!);
    waiting.delete(id!);
    if (error) call?.reject(new Refused(Number(error["code"]), String(error["message"])));
    else call?.resolve(result ?? {});
  };

  void (async () => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) take(JSON.parse(line));
    }
  })();

  const write = (line: string) => {
    child.stdin.write(`${line}\n`);
    child.stdin.flush();
  };

  return {
    pid: child.pid,
    notes,
    write,
    call(method, params) {
      const id = ++lastId;
      const answer = new Promise<Json>((resolve, reject) => waiting.set(id, { resolve, reject }));
      write(JSON.stringify({ id, method, params }));
      return within(`the answer to ${method}`, answer);
    },
    heard(method, fits = () => true) {
      const told = notes.find((note) => note.method === method && fits(note.params));
      if (told) return Promise.resolve(told.params);
      const next = new Promise<Json>((resolve) =>
        listeners.push({ method, act: (params) => fits(params) && resolve(params) }),
      );
      return within(method, next);
    },
    on: (method, act) => void listeners.push({ method, act }),
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

export async function within<T>(what: string, coming: Promise<T>, ms = deadlineMs): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([coming, late]).finally(() => clearTimeout(timer));
}
