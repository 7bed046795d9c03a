/** The Agent port over a real Codex. Each method is one call; unknown fields of its answer are ignored. */
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import { toolNamespace } from "../contract/tools.ts";
import type { Agent, RawLine } from "../core/model/ports/agent.ts";
import type { ThreadOpened } from "../core/model/ports/thread.ts";
import { capabilities } from "./capabilities.ts";
import { downError } from "./errors.ts";
import { lateThread } from "./events.ts";
import { lackError, lackOf } from "./features.ts";
import { turnPage } from "./history.ts";
import {
  forkParams,
  given,
  overrideParams,
  resumeParams,
  sourceKinds,
  startParams,
  textInput,
} from "./params.ts";
import { permissionProfiles } from "./profiles.ts";
import { type Json, list, object, text } from "./read.ts";
import { rolloutHolds, rolloutPermissions, rolloutTools } from "./rollout.ts";
import type { CallOptions } from "./rpc.ts";
import { searchMessages, searchThreads } from "./search.ts";
import { type SupervisorDeps, supervisor } from "./supervisor.ts";
import { threadsOfDay } from "./threadfiles.ts";
import { defaultsOf, goalFacts, modelFacts, threadFacts, threadOpened } from "./wire.ts";

export interface CodexAgent extends Agent {
  /** Starts the child in the background and keeps it running. */
  start(): void;
}

export function codexAgent(
  deps: Omit<SupervisorDeps, "taps" | "capabilities"> & { lacksFile?: string },
): CodexAgent {
  const taps = new Set<(line: RawLine) => void>();
  const codex = supervisor({
    ...deps,
    taps,
    capabilities: capabilities({ env: deps.env, file: deps.lacksFile }),
  });
  /** The session for this call. Throws `agent` with the name of the feature that this Codex lacks. */
  const sessionFor = (method: string, params: Json) => {
    const session = codex.running();
    const lack = lackOf(session.lacks(), method, params);
    if (lack) throw lackError(codex.status().version ?? "", lack);
    return session;
  };
  const has = (method: string) => lackOf(codex.running().lacks(), method, {}) === undefined;
  const call = (method: string, params: Json, options?: CallOptions) =>
    asRejection(() => sessionFor(method, params).rpc.call(method, params, options));
  const read = (method: string, params: Json, options?: CallOptions) =>
    asRejection(() => sessionFor(method, params).rpc.read(method, params, options));

  async function unsubscribe(threadId: string): Promise<void> {
    await call("thread/unsubscribe", { threadId });
  }

  async function deleteThread(threadId: string): Promise<void> {
    if (has("thread/delete")) await call("thread/delete", { threadId });
    else await call("thread/archive", { threadId });
  }

  /** An answer after the deadline becomes an event, and core decides: the thread may be in use by then. */
  const load = (method: string, params: Json, isDurable = false) =>
    asRejection(async () => {
      const session = sessionFor(method, params);
      const late = (answer: Json) => {
        const event = lateThread(answer, isDurable);
        if (event) deps.sink.onEvents(session.epoch, [event]);
      };
      const timeoutMs = limits.codex.loadTimeoutMs;
      return threadOpened(await session.rpc.call(method, params, { timeoutMs, late })) ?? unreadable(method);
    });

  /** Codex offers them again by itself (facts F71); no answer of it names them. */
  const withTools = async (opened: ThreadOpened, tools?: string[]): Promise<ThreadOpened> => {
    const isLacking = lackOf(codex.running().lacks(), "thread/start", { dynamicTools: [] }) !== undefined;
    const found = isLacking ? [] : (tools ?? (await rolloutTools(opened.thread.path)));
    return { ...opened, effective: { ...opened.effective, tools: found } };
  };

  return {
    start: codex.start,
    status: codex.status,
    ready: async (waitMs) => (await codex.ready(waitMs)).epoch,
    retry: codex.retry,
    renew: codex.renew,
    close: codex.close,

    startThread: async (settings) =>
      withTools(await load("thread/start", startParams(settings)), settings.tools ? [toolNamespace] : []),
    resumeThread: async (threadId, settings) =>
      withTools(await load("thread/resume", resumeParams(threadId, settings))),
    async nameThread(threadId, name) {
      await call("thread/name/set", { threadId, name });
    },
    async readThread(threadId) {
      const answer = await read("thread/read", { threadId, includeTurns: false });
      return threadFacts(answer["thread"]) ?? unreadable("thread/read");
    },
    listTurns: (threadId, page) => turnPage(read, threadId, page),
    unsubscribe,
    // Without support for goals, or with goals disabled, a thread has none. Core reads goal and queue before every resume.
    async readGoal(threadId) {
      if (!has("thread/goal/get")) return null;
      try {
        return goalFacts((await read("thread/goal/get", { threadId }))["goal"]);
      } catch (thrown) {
        if (thrown instanceof DispatchError && thrown.data?.["reason"] === "switched_off") return null;
        throw thrown;
      }
    },
    async setGoal(threadId, { objective, status, token_budget }) {
      const goal = {
        ...given("objective", objective),
        ...given("status", status),
        ...given("tokenBudget", token_budget),
      };
      await call("thread/goal/set", { threadId, ...goal });
    },
    async clearGoal(threadId) {
      await call("thread/goal/clear", { threadId });
    },
    hasInjected: (rolloutPath, itemId) => rolloutHolds(rolloutPath, itemId),
    lastPermissions: (rolloutPath) => rolloutPermissions(rolloutPath),
    async nativeQueue(threadId) {
      if (!has("thread/queue/list")) return [];
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const page = { threadId, cursor, limit: limits.wire.pageMax };
        const answer: Json = await read("thread/queue/list", page);
        ids.push(...list(answer["data"]).map((entry) => text(object(entry)?.["clientUserMessageId"]) ?? ""));
        cursor = text(answer["nextCursor"]);
      } while (cursor !== null && ids.length < limits.wire.queueMax);
      return ids;
    },
    async queueText({ thread_id, text: words, client_id }) {
      const input = textInput(words);
      await call("thread/queue/add", { threadId: thread_id, input, clientUserMessageId: client_id });
    },

    async startTurn({ thread_id, text: words, client_id, overrides }) {
      const params = {
        threadId: thread_id,
        input: textInput(words),
        clientUserMessageId: client_id,
        ...overrideParams(overrides ?? {}),
      };
      const session = sessionFor("turn/start", params);
      const answer = await session.rpc.call("turn/start", params);
      const turn_id = text(object(answer["turn"])?.["id"]);
      // No line after the answer has been read yet. So a `turn/started` of this id came before it: the turn was started
      // by somebody else (facts F12).
      return turn_id === null
        ? unreadable("turn/start")
        : { turn_id, joined: session.memory.lastTurnOf(thread_id) === turn_id };
    },
    async steerTurn({ thread_id, turn_id, text: words, client_id }) {
      const input = textInput(words);
      await call("turn/steer", {
        threadId: thread_id,
        expectedTurnId: turn_id,
        input,
        clientUserMessageId: client_id,
      });
    },
    async interruptTurn(threadId, turnId) {
      await call("turn/interrupt", { threadId, turnId });
    },
    async cleanBackground(threadId) {
      await call("thread/backgroundTerminals/clean", { threadId });
    },
    async injectText({ thread_id, text: words, item_id }) {
      const content = [{ type: "input_text", text: words }];
      const item = { type: "message", id: item_id, role: "user", content };
      await call("thread/inject_items", { threadId: thread_id, items: [item] });
    },

    threadsOfDay: async (at) => threadsOfDay(codex.status().codex_home, at),
    async listThreads({ cursor, limit, archived }) {
      // Without these Codex hides threads of other providers and sources, or scans for seconds (facts F39).
      const everything = { modelProviders: [], sourceKinds, useStateDbOnly: true, sortKey: "updated_at" };
      const answer = await read("thread/list", { ...everything, cursor, limit, archived });
      const threads = list(answer["data"]).flatMap((thread) => threadFacts(thread) ?? []);
      return { threads, next_cursor: text(answer["nextCursor"]) };
    },
    searchThreads: (query) => searchThreads(read, query),
    searchMessages: (threadId, query) => searchMessages(read, threadId, query),
    async archiveThread(threadId) {
      await call("thread/archive", { threadId });
    },
    deleteThread,
    async unarchiveThread(threadId) {
      await call("thread/unarchive", { threadId });
    },
    forkThread: async (threadId, fork) =>
      withTools(await load("thread/fork", forkParams(threadId, fork), true)),
    async revertThread(threadId, beforeTurnId) {
      await call("thread/revert", { threadId, beforeTurnId });
    },
    async compactThread(threadId) {
      await call("thread/compact/start", { threadId });
    },
    async readCatalogue() {
      const [answer, configured] = await Promise.all([
        read("model/list", { includeHidden: true, limit: limits.wire.modelsMax }),
        read("config/read", {}),
      ]);
      const models = list(answer["data"]).flatMap((model) => modelFacts(model) ?? []);
      return { models, default: defaultsOf(object(configured["config"]), models) };
    },

    listProfiles: (cwd) => permissionProfiles(read, cwd),
    reply: (epoch, reply) =>
      asRejection(async () => {
        const session = codex.running();
        if (session.epoch !== epoch)
          throw downError("the codex that sent this request has exited", "not_sent");
        session.rpc.reply(reply);
      }),
    tap(listener) {
      taps.add(listener);
      return () => void taps.delete(listener);
    },
  };
}

/** Turns a throw of `running()` into a rejection, like every other failure of a call. */
async function asRejection<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

/** The call was executed, but its result is not known: the caller has to read it. */
function unreadable(method: string): never {
  throw new DispatchError("timeout", `codex's answer to ${method} could not be read`, {
    data: { outcome: "unknown" },
  });
}
