/** The Agent port over a real Codex: each verb is one call, its answer read tolerantly. */
import { DispatchError } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { Agent, RawLine } from "../core/model/ports/agent.ts";
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
import { type Json, list, object, text } from "./read.ts";
import { rolloutHolds, rolloutPower } from "./rollout.ts";
import type { CallOptions } from "./rpc.ts";
import { searchMessages, searchThreads } from "./search.ts";
import { type Supervised, supervisor } from "./supervisor.ts";
import { threadsOfDay } from "./threadfiles.ts";
import { defaultsOf, goalFacts, modelFacts, threadFacts, threadOpened } from "./wire.ts";

export interface CodexAgent extends Agent {
  /** Starts the child in the background and keeps it running. */
  start(): void;
}

export function codexAgent(
  world: Omit<Supervised, "taps" | "capabilities"> & { lacksFile?: string },
): CodexAgent {
  const taps = new Set<(line: RawLine) => void>();
  const codex = supervisor({
    ...world,
    taps,
    capabilities: capabilities({ env: world.env, file: world.lacksFile }),
  });
  /** The life that takes this call; throws by name what its Codex lacks for it. */
  const lifeFor = (method: string, params: Json) => {
    const life = codex.running();
    const lack = lackOf(life.lacks(), method, params);
    if (lack) throw lackError(codex.status().version ?? "", lack);
    return life;
  };
  const has = (method: string) => lackOf(codex.running().lacks(), method, {}) === undefined;
  const call = (method: string, params: Json, options?: CallOptions) =>
    onLife(() => lifeFor(method, params).rpc.call(method, params, options));
  const read = (method: string, params: Json, options?: CallOptions) =>
    onLife(() => lifeFor(method, params).rpc.read(method, params, options));

  async function unsubscribe(threadId: string): Promise<void> {
    await call("thread/unsubscribe", { threadId });
  }

  async function deleteThread(threadId: string): Promise<void> {
    if (has("thread/delete")) await call("thread/delete", { threadId });
    else await call("thread/archive", { threadId });
  }

  /** What is answered after its deadline, core decides about: the thread may be in use by then. */
  const load = (method: string, params: Json, isDurable = false) =>
    onLife(async () => {
      const life = lifeFor(method, params);
      const late = (answer: Json) => {
        const event = lateThread(answer, isDurable);
        if (event) world.sink.onEvents(life.epoch, [event]);
      };
      const timeoutMs = limits.codex.loadTimeoutMs;
      return threadOpened(await life.rpc.call(method, params, { timeoutMs, late })) ?? unreadable(method);
    });

  return {
    start: codex.start,
    status: codex.status,
    ready: async (waitMs) => (await codex.ready(waitMs)).epoch,
    retry: codex.retry,
    renew: codex.renew,
    close: codex.close,

    startThread: (settings) => load("thread/start", startParams(settings)),
    resumeThread: (threadId, settings) => load("thread/resume", resumeParams(threadId, settings)),
    async nameThread(threadId, name) {
      await call("thread/name/set", { threadId, name });
    },
    async readThread(threadId) {
      const answer = await read("thread/read", { threadId, includeTurns: false });
      return threadFacts(answer["thread"]) ?? unreadable("thread/read");
    },
    listTurns: (threadId, page) => turnPage(read, threadId, page),
    unsubscribe,
    // A Codex that knows no goals, or has them switched off, has none, and no queue either: both are looked at before every resume.
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
    lastPermissions: (rolloutPath) => rolloutPower(rolloutPath),
    async nativeQueue(threadId) {
      if (!has("thread/queue/list")) return [];
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const page = { threadId, cursor, limit: limits.wire.pageMax };
        const answer: Json = await read("thread/queue/list", page);
        ids.push(...list(answer["data"]).map((one) => text(object(one)?.["clientUserMessageId"]) ?? ""));
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
      const life = lifeFor("turn/start", params);
      const answer = await life.rpc.call("turn/start", params);
      const turn_id = text(object(answer["turn"])?.["id"]);
      // No line after the answer has been heard yet, so a start that is known came before it: another's turn.
      return turn_id === null
        ? unreadable("turn/start")
        : { turn_id, joined: life.memory.lastTurnOf(thread_id) === turn_id };
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
      // Without these Codex hides threads of other providers and sources; a scan would take seconds (measured).
      const everything = { modelProviders: [], sourceKinds, useStateDbOnly: true, sortKey: "updated_at" };
      const answer = await read("thread/list", { ...everything, cursor, limit, archived });
      const threads = list(answer["data"]).flatMap((thread) => threadFacts(thread) ?? []);
      return { threads, next_cursor: text(answer["nextCursor"]) };
    },
    searchThreads: (asked) => searchThreads(read, asked),
    searchMessages: (threadId, asked) => searchMessages(read, threadId, asked),
    async archiveThread(threadId) {
      await call("thread/archive", { threadId });
    },
    deleteThread,
    async unarchiveThread(threadId) {
      await call("thread/unarchive", { threadId });
    },
    forkThread: (threadId, fork) => load("thread/fork", forkParams(threadId, fork), true),
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

    reply: (epoch, reply) =>
      onLife(async () => {
        const life = codex.running();
        if (life.epoch !== epoch) throw downError("the codex that asked this is gone", "not_sent");
        life.rpc.reply(reply);
      }),
    tap(listener) {
      taps.add(listener);
      return () => void taps.delete(listener);
    },
  };
}

/** A throw of `running()` is a rejection, as every other failure of a call. */
async function onLife<T>(call: () => Promise<T>): Promise<T> {
  return call();
}

/** It was done, but what came of it is not known: the caller settles it by reading. */
function unreadable(method: string): never {
  throw new DispatchError("timeout", `codex's answer to ${method} could not be read`, {
    data: { outcome: "unknown" },
  });
}
