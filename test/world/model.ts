/**
 * A model of the app-server behind the Agent port: what was measured of the real one and delivery stands on, and no
 * more. An answer is not durable; a user message is, once its item completed; a kill loses what was not.
 *
 * The text of a turn is its script, as a JSON list of steps; any other text is answered `ok: <text>` at once:
 * {"say": s} {"wait": name} {"ask": command} {"question": facts of a request} {"fail": message}.
 * {"tool": name, "arguments": {..}} calls a tool of dispatch, with `and` together with the next one.
 * {"usage": tokens} is what an answer cost, which a resume reports again; {"window": percent} is how far the account is used. {"limit": ms} is a usage limit that ends so much later, which all turns of its provider meet until then. As the first step,
 * {"refuse": words} is a hook that refuses the text, {"hook": name} one that is slow until it is released, and
 * {"die": true} ends the child before it takes the text.
 */

import { DispatchError } from "../../src/base/error.ts";
import { refusedError } from "../../src/codex/errors.ts";
import { toolNamespace } from "../../src/contract/tools.ts";
import type {
  Agent,
  AgentSink,
  AgentStatus,
  Catalogue,
  Epoch,
  Occurrence,
  Refusal,
} from "../../src/core/model/ports/agent.ts";
import type { AgentEvent } from "../../src/core/model/ports/agentevent.ts";
import type { AgentReply, RequestDetails, RequestFacts } from "../../src/core/model/ports/request.ts";
import type {
  EffectiveSettings,
  GoalFacts,
  ItemFacts,
  SandboxDetails,
  ThreadFacts,
  ThreadSettings,
  ThreadStatus,
  TurnFacts,
} from "../../src/core/model/ports/thread.ts";
import type { Spent, Tokens } from "../../src/core/model/ports/usage.ts";
import { defaultDetails } from "../../src/core/policy/permissions.ts";

type Step =
  | { say: string }
  | { wait: string }
  | { ask: string }
  | { question: Partial<RequestFacts> }
  | { fail: string }
  | { tool: string; arguments?: Record<string, unknown>; namespace?: string; call?: string; and?: true }
  | { limit: number }
  | { usage: Partial<Tokens> }
  | { window: number }
  | { refuse: string }
  | { hook: string }
  | { die: true };

interface ModelThread {
  id: string;
  path: string;
  name: string | null;
  settings: ThreadSettings;
  /** It was started with the tools of dispatch, or is a fork of one that was. */
  hasTools: boolean;
  /** Survives a kill. */
  isDurable: boolean;
  isLoaded: boolean;
  isArchived: boolean;
  /** Another app has it open. */
  isHeldElsewhere: boolean;
  /** Of a sub-agent. */
  parentId: string | null;
  mark: string | null;
  status: ThreadStatus;
  goal: GoalFacts | null;
  turns: TurnFacts[];
  /** What waits in Codex's own queue. */
  nativeQueue: { id: string; text: string }[];
  /** Ids of the items that were added as context. */
  injected: string[];
  running: Run | null;
  /** What it last reported of its tokens. */
  spent: { total: Spent; last: Spent; turn_id: string } | null;
}

interface Run {
  turn: TurnFacts;
  steps: Step[];
  waitsFor: string | null;
  /** What it has not taken yet; null once its item is in the history. */
  untaken: { text: string; clientId: string } | null;
}

type Verb =
  | "setGoal"
  | "listTurns"
  | "startTurn"
  | "startThread"
  | "resumeThread"
  | "steerTurn"
  | "injectText"
  | "queueText"
  | "readThread"
  | "nameThread"
  | "forkThread";

export interface ModelAgent extends Agent {
  threads: Map<string, ModelThread>;
  /** Threads whose resume ends the child. */
  deadly: Set<string>;
  /** Every text the model was asked to work on, in order: what must never be doubled. */
  asked: string[];
  up(): void;
  /** kill -9: all that is not durable is gone. */
  kill(): void;
  /** The same, with nobody left to tell. */
  forget(): void;
  release(name: string): void;
  /** What the child answered to its questions. */
  replies: AgentReply[];
  /** Refuses the next call of this verb. */
  setProgram(state: AgentStatus["program"]): void;
  /** Why it was renewed, each time. */
  renewals: string[];
  refuseNext(verb: Verb, reason: Refusal): void;
  /** The next answer of this verb never comes; the call itself is carried out. */
  loseNextAnswer(verb: Verb): void;
  /** So many calls of this verb are carried out and not answered, until the returned function is called, or a kill. */
  withhold(verb: Verb, count?: number): () => void;
  /** What Codex's configuration no longer has: each start and resume is refused until it is null again. */
  configurationLacks(words: string | null): void;
  /** Runs just before the next call of this verb is carried out. */
  beforeNext(verb: Verb, fn: () => void): void;
  /** Somebody else's turn begins on a thread: a goal's, or another app's. */
  intrude(threadId: string): void;
  /** Another app made a thread with one finished turn; answers its id. */
  madeElsewhere(name: string, text: string): string;
  /** Another process writes a finished turn with this text, under this id, into a thread that it has open. */
  writeElsewhere(threadId: string, text: string, clientId: string | null): void;
  /** The next resume falls back to the configuration, as a bare one was measured to. */
  ignoreSettingsOfNextResume(): void;
  /** What the configuration file says of a sandbox, where a call does not. */
  configure(details: SandboxDetails): void;
  /** The next start is answered, or not, and leads to nothing. */
  loseNextTurn(): void;
  /** The next turn begins, and is cut before it takes its text. */
  loseNextText(): void;
  /** What Codex says of the account after an answer. */
  tellWindow(used_percent: number, resets_at: number | null): void;
  /** The usage limits are gone, and nobody is told. */
  unlimit(): void;
  /** Says this to core, as the child would. */
  tell(event: AgentEvent): void;
  /** The next events of this kind are swallowed. */
  swallow(kind: AgentEvent["kind"]): void;
}

export interface ModelOptions {
  sink: AgentSink;
  /** Runs later, in order; the simulator decides when. */
  schedule(fn: () => void): void;
  now(): number;
  /** How many steps of others a call waits before it is carried out. */
  pause?(): number;
  codexHome?: string;
  /** What is on disk already. */
  threads?: Map<string, ModelThread>;
}

/** A command and nothing else. */
export const nothingAsked: RequestDetails = {
  reason: null,
  action: null,
  permissions: null,
  network: null,
  grant_root: null,
  questions: null,
  tool: null,
  form: null,
  may_persist: false,
  sub_agent: null,
};

const catalogue: Catalogue = {
  models: [
    {
      id: "gpt-5.5",
      name: "GPT-5.5",
      description: "",
      is_default: true,
      hidden: false,
      efforts: ["low", "high"],
      default_effort: "low",
      service_tiers: [{ id: "priority", name: "Fast" }],
    },
  ],
  default: { model: "gpt-5.5", provider: null, effort: null, service_tier: null },
};

/** Of all models in this process: ids are unique, and later ones are larger. */
let ids = 0;

export function modelAgent({
  sink,
  schedule,
  now,
  pause = () => 0,
  codexHome = "/home/user/.codex",
  threads = new Map(),
}: ModelOptions): ModelAgent {
  const asked: string[] = [];
  const deadly = new Set<string>();
  const replies: AgentReply[] = [];
  const renewals: string[] = [];
  let program: AgentStatus["program"] = "same";
  const released = new Set<string>();
  const slowHooks: { name: string; go(): void }[] = [];
  const refusals = new Map<string, Refusal>();
  const lost = new Set<string>();
  const withheld = new Map<string, { count: number; answers: (() => void)[] }>();
  const swallowed = new Set<string>();
  const before = new Map<string, () => void>();
  /** When the usage limit of a provider ends. */
  const limited = new Map<string, number>();
  let losesTurn = false;
  let losesText = false;
  let ignoresSettings = false;
  let lacking: string | null = null;
  let configured: SandboxDetails = defaultDetails;
  const questions = new Map<number, ModelThread>();
  /** Calls of tools that are not answered; Codex sends them again on a resume. */
  const toolCalls = new Map<number, { thread: ModelThread; event: AgentEvent }>();
  let epoch: Epoch | null = null;
  let rpcIds = 0;

  /** Sorts like a UUIDv7: later is larger. */
  const id = () => `01a20000-0000-7000-8000-${String(++ids).padStart(12, "0")}`;

  const down = () =>
    new DispatchError("agent_down", "Codex is down", {
      hint: "dispatch daemon status",
      data: { outcome: "not_sent" },
    });

  function refuse(reason: Refusal, words: string, hint?: string): never {
    const more = hint === undefined ? {} : { hint };
    throw new DispatchError("agent", words, { ...more, data: { reason, words } });
  }

  /** A call: refused or carried out now, answered later. A kill in between leaves its outcome unknown. */
  function call<T>(verb: string, fn: () => T): Promise<T> {
    const asked = epoch;
    if (asked === null) return Promise.reject(down());
    return new Promise((resolve, reject) => {
      after(pause(), () => {
        const first = before.get(verb);
        // It may want the next call, too.
        before.delete(verb);
        first?.();
        if (epoch !== asked) {
          return reject(new DispatchError("agent_down", "Codex died", { data: { outcome: "not_sent" } }));
        }
        try {
          const reason = refusals.get(verb);
          refusals.delete(verb);
          if (reason) refuse(reason, `refused: ${reason}`);
          const result = fn();
          if (lost.delete(verb)) {
            return reject(
              new DispatchError("timeout", "Codex did not answer", { data: { outcome: "unknown" } }),
            );
          }
          const answer = () =>
            schedule(() => {
              if (epoch === asked) resolve(result);
              else reject(new DispatchError("agent_down", "Codex died", { data: { outcome: "unknown" } }));
            });
          const late = withheld.get(verb);
          if (late && late.answers.length < late.count) late.answers.push(answer);
          else answer();
        } catch (thrown) {
          reject(thrown);
        }
      });
    });
  }

  /** After so many steps of others; at once when the child dies meanwhile. */
  function after(steps: number, fn: () => void): void {
    const from = epoch;
    schedule(() => (steps > 0 && epoch === from ? after(steps - 1, fn) : fn()));
  }

  function emit(...events: AgentEvent[]): void {
    const from = epoch;
    schedule(() => {
      if (from === null || epoch !== from) return;
      const heard = events.filter((event) => !swallowed.has(event.kind));
      for (const event of events) swallowed.delete(event.kind);
      if (heard.length > 0) sink.onEvents(from, heard);
    });
  }

  function newThread(settings: ThreadSettings): ModelThread {
    const thread: ModelThread = {
      id: id(),
      path: `/sessions/${ids}.jsonl`,
      name: null,
      settings: structuredClone(settings),
      hasTools: false,
      isDurable: false,
      isLoaded: true,
      isArchived: false,
      isHeldElsewhere: false,
      parentId: null,
      mark: null,
      status: "idle",
      goal: null,
      turns: [],
      nativeQueue: [],
      injected: [],
      running: null,
      spent: null,
    };
    threads.set(thread.id, thread);
    return thread;
  }

  function threadOf(threadId: string): ModelThread {
    return threads.get(threadId) ?? refuse("no_rollout", `no rollout found for thread id ${threadId}`);
  }

  function loaded(threadId: string): ModelThread {
    const thread = threads.get(threadId);
    return thread?.isLoaded ? thread : refuse("not_loaded", `thread not found: ${threadId}`);
  }

  function facts(thread: ModelThread): ThreadFacts {
    const { path, name, settings, isLoaded, status } = thread;
    const at = now();
    return {
      id: thread.id,
      name,
      preview: "",
      cwd: settings.cwd,
      path,
      status: isLoaded ? status : "not_loaded",
      created_at: at,
      updated_at: at,
      source: "vscode",
      parent_id: thread.parentId,
      mark: thread.mark,
    };
  }

  function effective({ settings, hasTools }: ModelThread): EffectiveSettings {
    return {
      cwd: settings.cwd,
      sandbox: settings.sandbox ?? "danger-full-access",
      approval_policy: settings.approval_policy ?? "never",
      approvals_reviewer: "user",
      permission_profile: null,
      model: settings.model ?? "mock-model",
      model_provider: settings.model_provider ?? "mock",
      effort: settings.effort ?? null,
      service_tier: settings.service_tier ?? null,
      sandbox_details: settings.sandbox_details ?? configured,
      approval_details: settings.approval_details ?? null,
      profile_extends: null,
      tools: hasTools ? [toolNamespace] : [],
    };
  }

  function setStatus(thread: ModelThread, status: ThreadStatus, flags: string[] = []): void {
    thread.status = status;
    emit({ kind: "thread_status", thread_id: thread.id, status, flags });
  }

  function item(type: ItemFacts["type"], text: string, more: Partial<ItemFacts> = {}): ItemFacts {
    return {
      id: id(),
      type,
      text,
      command: null,
      exit_code: null,
      arguments: null,
      path: null,
      changes: null,
      status: null,
      client_id: null,
      at: now(),
      ...more,
    };
  }

  function begin(thread: ModelThread, text: string, clientId: string): TurnFacts {
    const turn: TurnFacts = {
      id: id(),
      status: "in_progress",
      error: null,
      started_at: now(),
      completed_at: null,
      items: [],
    };
    const run: Run = { turn, steps: stepsOf(text), waitsFor: null, untaken: { text, clientId } };
    thread.running = run;
    thread.turns.push(turn);
    setStatus(thread, "active");
    emit({ kind: "turn_started", thread_id: thread.id, turn_id: turn.id, at: now() });
    const from = epoch;
    if (losesText) {
      losesText = false;
      return turn;
    }
    const take = () => {
      if (epoch !== from || thread.running !== run) return;
      const [hook] = run.steps;
      if (hook && "refuse" in hook) return refuseText(thread, hook.refuse);
      if (hook && "die" in hook) return kill();
      if (hook && "hook" in hook && !released.has(hook.hook)) {
        slowHooks.push({ name: hook.hook, go: take });
        return;
      }
      const said = item("user_message", text, { client_id: clientId });
      thread.isDurable = thread.settings.ephemeral !== true;
      turn.items.push(said);
      run.untaken = null;
      asked.push(text);
      emit({ kind: "item_completed", thread_id: thread.id, turn_id: turn.id, item: said });
      schedule(() => go(thread));
    };
    schedule(take);
    return turn;
  }

  /** Measured: the turn ends as completed, without the text; so does one that was steered. */
  function refuseText(thread: ModelThread, words: string): void {
    emit({ kind: "prompt_refused", thread_id: thread.id, turn_id: thread.running!.turn.id, words });
    finish(thread, "completed", null);
  }

  function go(thread: ModelThread): void {
    const run = thread.running;
    if (!run || epoch === null) return;
    const step = run.steps.shift();
    if (step === undefined) {
      finish(thread, "completed", null);
      return;
    }
    const provider = effective(thread).model_provider!;
    if ("limit" in step) limited.set(provider, now() + step.limit);
    const resets_at = limited.get(provider);
    if (resets_at !== undefined && resets_at > now()) {
      tellWindow(100, resets_at);
      finish(thread, "failed", "You have hit your usage limit.", "usageLimitExceeded");
      return;
    }
    if ("fail" in step) {
      finish(thread, "failed", step.fail);
      return;
    }
    if ("say" in step) {
      const said = item("agent_message", step.say);
      run.turn.items.push(said);
      emit({ kind: "item_completed", thread_id: thread.id, turn_id: run.turn.id, item: said });
    }
    if ("usage" in step) spend(thread, run.turn.id, step.usage);
    if ("window" in step) tellWindow(step.window, now() + 60_000);
    if ("wait" in step && !released.has(step.wait)) {
      run.waitsFor = step.wait;
      return;
    }
    if ("tool" in step) {
      callTool(thread, run.turn, step);
      if (step.and) schedule(() => go(thread));
      return;
    }
    if ("ask" in step || "question" in step) {
      ask(thread, run.turn, "ask" in step ? { command: step.ask } : step.question);
      return;
    }
    schedule(() => go(thread));
  }

  function spend(thread: ModelThread, turnId: string, tokens: Partial<Tokens>): void {
    const last = { input: 0, cached: 0, output: 0, reasoning: 0, ...tokens };
    const before = thread.spent?.total ?? { total: 0, input: 0, cached: 0, output: 0, reasoning: 0 };
    const total = {
      total: before.total + last.input + last.output,
      input: before.input + last.input,
      cached: before.cached + last.cached,
      output: before.output + last.output,
      reasoning: before.reasoning + last.reasoning,
    };
    thread.spent = { total, last: { ...last, total: last.input + last.output }, turn_id: turnId };
    tellSpent(thread);
  }

  function tellSpent({ id, spent }: ModelThread): void {
    if (spent === null) return;
    emit({ kind: "tokens", thread_id: id, root_id: id, model: null, context_window: 258_400, ...spent });
  }

  function tellWindow(used_percent: number, resets_at: number | null): void {
    const reached = used_percent >= 100 ? "rate_limit_reached" : null;
    emit({
      kind: "rate_limits",
      limits: {
        limit_id: "codex",
        windows: [{ name: "primary", used_percent, window_minutes: 300, resets_at }],
        reached,
      },
    });
  }

  function ask(thread: ModelThread, turn: TurnFacts, what: Partial<RequestFacts>): void {
    const rpc_id = rpcIds++;
    questions.set(rpc_id, thread);
    setStatus(thread, "active", ["waitingOnApproval"]);
    emit({
      kind: "request_opened",
      request: {
        method: "item/commandExecution/requestApproval",
        kind: "command_approval",
        command: null,
        cwd: thread.settings.cwd,
        changes: null,
        auto_resolution_ms: null,
        ...what,
        asks: { ...nothingAsked, ...what.asks },
        rpc_id,
        thread_id: thread.id,
        turn_id: turn.id,
        item_id: id(),
      },
    });
  }

  /** No status and no `resolved` tells of such a call. */
  function callTool(thread: ModelThread, turn: TurnFacts, step: Extract<Step, { tool: string }>): void {
    const rpc_id = rpcIds++;
    const { tool: name, namespace: server = toolNamespace, arguments: given = {}, call } = step;
    const tool = { server, name, description: null, arguments: given };
    const event: AgentEvent = {
      kind: "request_opened",
      request: {
        method: "item/tool/call",
        kind: "tool_call",
        command: null,
        cwd: null,
        changes: null,
        auto_resolution_ms: null,
        asks: { ...nothingAsked, tool },
        rpc_id,
        thread_id: thread.id,
        turn_id: turn.id,
        item_id: call ?? id(),
      },
    };
    toolCalls.set(rpc_id, { thread, event });
    emit(event);
  }

  function finish(
    thread: ModelThread,
    status: "completed" | "failed" | "interrupted",
    message: string | null,
    kind = "other",
  ): void {
    const { turn } = thread.running!;
    thread.running = null;
    Object.assign(turn, {
      status,
      error: message === null ? null : { message, kind },
      completed_at: now(),
    });
    for (const [rpc_id, question] of questions) {
      if (question !== thread) continue;
      questions.delete(rpc_id);
      emit({ kind: "request_resolved", thread_id: thread.id, rpc_id });
    }
    for (const [rpc_id, open] of toolCalls) if (open.thread === thread) toolCalls.delete(rpc_id);
    setStatus(thread, status === "failed" ? "system_error" : "idle");
    const last = turn.items.findLast((one) => one.type === "agent_message");
    emit({ kind: "turn_completed", thread_id: thread.id, turn: { ...turn, items: last ? [last] : [] } });
  }

  function die(): void {
    for (const thread of threads.values()) {
      if (thread.running) Object.assign(thread.running.turn, { status: "interrupted" });
      Object.assign(thread, { running: null, isLoaded: false, status: "idle" });
      if (!thread.isDurable) threads.delete(thread.id);
    }
    questions.clear();
    toolCalls.clear();
  }

  function kill(): void {
    const dead = epoch;
    if (dead === null) return;
    epoch = null;
    die();
    sink.onExit(dead, "codex was killed by SIGKILL");
    for (const { answers } of withheld.values()) for (const answer of answers.splice(0)) answer();
  }

  return {
    threads,
    deadly,
    asked,
    replies,
    up() {
      const pid = 1000 + ids;
      epoch = sink.onSpawn({ pid, group: pid, start_time: "1", boot_id: "boot" });
      sink.onReady(epoch, { version: "0.171.0", codex_home: codexHome });
    },
    kill,
    forget() {
      epoch = null;
      die();
    },
    release(name) {
      released.add(name);
      for (const hook of slowHooks.splice(0))
        if (hook.name === name) schedule(hook.go);
        else slowHooks.push(hook);
      for (const thread of threads.values()) {
        if (thread.running?.waitsFor !== name) continue;
        thread.running.waitsFor = null;
        schedule(() => go(thread));
      }
    },
    setProgram(state) {
      program = state;
    },
    renewals,
    refuseNext: (verb, reason) => void refusals.set(verb, reason),
    loseNextAnswer: (verb) => void lost.add(verb),
    withhold(verb, count = Number.POSITIVE_INFINITY) {
      const answers: (() => void)[] = [];
      withheld.set(verb, { count, answers });
      return () => {
        withheld.delete(verb);
        for (const answer of answers) answer();
      };
    },
    configurationLacks(words) {
      lacking = words;
    },
    beforeNext: (verb, fn) => void before.set(verb, fn),
    intrude: (threadId) => void begin(threadOf(threadId), '[{"wait":"theirs"}]', "theirs"),
    madeElsewhere(name, text) {
      const thread = newThread({ cwd: "/elsewhere" });
      Object.assign(thread, { name, isDurable: true, isLoaded: false });
      this.writeElsewhere(thread.id, text, null);
      return thread.id;
    },
    writeElsewhere(threadId, text, client_id) {
      threadOf(threadId).turns.push({
        id: id(),
        status: "completed",
        error: null,
        started_at: now(),
        completed_at: now(),
        items: [item("user_message", text, { client_id }), item("agent_message", `ok: ${text}`)],
      });
    },
    configure(details) {
      configured = details;
    },
    ignoreSettingsOfNextResume() {
      ignoresSettings = true;
    },
    loseNextTurn() {
      losesTurn = true;
    },
    loseNextText() {
      losesText = true;
    },
    tellWindow,
    unlimit: () => limited.clear(),
    tell: (event) => emit(event),
    swallow: (kind) => void swallowed.add(kind),

    status: () => ({
      state: epoch === null ? "degraded" : "running",
      pid: epoch === null ? null : 1,
      epoch,
      version: "0.171.0",
      codex_home: codexHome,
      restarts: 0,
      last_error: epoch === null ? { message: "Codex was killed", hint: "dispatch daemon retry" } : null,
      starting_since: null,
      starting_ms: null,
      retry_at: null,
      garbage_lines: 0,
      warnings: [],
      lacks: [],
      advice: "",
      program,
    }),
    ready: () => (epoch === null ? Promise.reject(down()) : Promise.resolve(epoch)),
    retry() {},
    async renew(words) {
      renewals.push(words);
      // The next child runs what is there now.
      program = "same";
      this.kill();
      this.up();
    },
    startThread: (settings) =>
      call("startThread", () => {
        if (settings.model_provider === "nobody")
          throw refusedError(
            "thread/start",
            { message: "Model provider `nobody` not found" },
            { modelProvider: "nobody" },
          );
        const thread = newThread(settings);
        thread.hasTools = settings.tools === true;
        return { thread: facts(thread), effective: effective(thread) };
      }),
    resumeThread: (threadId, settings) =>
      call("resumeThread", () => {
        const thread = threadOf(threadId);
        if (lacking !== null) refuse("bad_config", lacking, "correct config.toml and try again");
        if (deadly.has(threadId)) kill();
        if (thread.isHeldElsewhere)
          refuse("active_writer", `thread ${threadId} already has an active writer`);
        if (thread.isArchived) refuse("archived", `session ${threadId} is archived`);
        if (thread.settings.ephemeral) refuse("no_rollout", `no rollout found for thread id ${threadId}`);
        // Overrides of a loaded thread are ignored; a bare resume falls back to the configuration's full access.
        if (!thread.isLoaded)
          thread.settings = ignoresSettings ? { cwd: settings.cwd } : structuredClone(settings);
        ignoresSettings = false;
        thread.isLoaded = true;
        tellSpent(thread);
        for (const open of toolCalls.values()) if (open.thread === thread) emit(open.event);
        return { thread: facts(thread), effective: effective(thread) };
      }),
    nameThread: (threadId, name) =>
      call("nameThread", () => {
        Object.assign(threadOf(threadId), { name, isDurable: true });
      }),
    readThread: (threadId) => call("readThread", () => facts(threadOf(threadId))),
    listTurns: (threadId, { cursor, limit }) =>
      call("listTurns", () => {
        const newest = threadOf(threadId).turns.toReversed();
        const anchor = newest.findIndex((turn) => turn.id === cursor);
        if (cursor !== null && anchor < 0)
          refuse("other", "invalid cursor: anchor turn is no longer present");
        const next = anchor + 1 + limit;
        return {
          turns: structuredClone(newest.slice(anchor + 1, next)),
          next_cursor: next < newest.length ? newest[next - 1]!.id : null,
        };
      }),
    unsubscribe: (threadId) =>
      call("unsubscribe", () => {
        const thread = threads.get(threadId);
        if (thread && !thread.running) thread.isLoaded = false;
      }),
    readGoal: (threadId) =>
      call("readGoal", () => {
        const thread = threads.get(threadId);
        if (thread?.settings.ephemeral) refuse("other", "ephemeral thread does not support goals");
        return thread?.goal ?? null;
      }),
    setGoal: (threadId, change) =>
      call("setGoal", () => {
        const thread = threadOf(threadId);
        const before = thread.goal ?? { objective: "", status: "active", token_budget: null, tokens_used: 0 };
        if (!thread.goal && change.objective === undefined)
          refuse("other", "cannot update goal: no goal exists");
        thread.goal = { ...before, ...change };
      }),
    clearGoal: (threadId) =>
      call("clearGoal", () => {
        threadOf(threadId).goal = null;
      }),
    nativeQueue: (threadId) => call("nativeQueue", () => threadOf(threadId).nativeQueue.map((one) => one.id)),
    queueText: ({ thread_id, text, client_id }) =>
      call("queueText", () => {
        threadOf(thread_id).nativeQueue.push({ id: client_id, text });
      }),
    startTurn: ({ thread_id, text, client_id }) =>
      call("startTurn", () => {
        const thread = loaded(thread_id);
        if (thread.running) {
          // Measured: a start on a running turn steers it and answers with its id.
          const { turn } = thread.running;
          const [hook] = stepsOf(text);
          if (hook && "refuse" in hook) {
            schedule(() => thread.running && refuseText(thread, hook.refuse));
            return { turn_id: turn.id, joined: true };
          }
          const said = item("user_message", text, { client_id });
          turn.items.push(said);
          asked.push(text);
          emit({ kind: "item_completed", thread_id, turn_id: turn.id, item: said });
          return { turn_id: turn.id, joined: true };
        }
        if (losesTurn) {
          losesTurn = false;
          return { turn_id: id(), joined: false };
        }
        return { turn_id: begin(thread, text, client_id).id, joined: false };
      }),
    steerTurn: ({ thread_id, turn_id, text, client_id }) =>
      call("steerTurn", () => {
        const thread = loaded(thread_id);
        const { running } = thread;
        if (!running) refuse("no_active_turn", "no active turn to steer");
        if (running.turn.id !== turn_id) refuse("turn_mismatch", "expected another turn");
        const [hook] = stepsOf(text);
        if (hook && "refuse" in hook) {
          schedule(() => thread.running === running && refuseText(thread, hook.refuse));
          return;
        }
        const said = item("user_message", text, { client_id });
        running.turn.items.push(said);
        asked.push(text);
        emit({ kind: "item_completed", thread_id, turn_id, item: said });
      }),
    interruptTurn: (threadId, turnId) =>
      call("interruptTurn", () => {
        const thread = loaded(threadId);
        if (!thread.running) refuse("no_active_turn", "no active turn to interrupt");
        if (thread.running.turn.id !== turnId) refuse("turn_mismatch", "expected another turn");
        schedule(() => thread.running && finish(thread, "interrupted", null));
      }),
    cleanBackground: () => call("cleanBackground", () => {}),
    injectText: ({ thread_id, item_id }) =>
      call("injectText", () => {
        const thread = loaded(thread_id);
        thread.isDurable = true;
        thread.injected.push(item_id);
      }),
    lastPermissions: async (path) => {
      const thread = [...threads.values()].find((one) => one.path === path);
      const { sandbox, approval_policy, cwd } = thread?.settings ?? { cwd: "" };
      const details = thread?.settings.sandbox_details ?? null;
      return sandbox && approval_policy ? { sandbox, approval_policy, cwd, details } : null;
    },
    hasInjected: async (path, itemId) =>
      [...threads.values()].some((thread) => thread.path === path && thread.injected.includes(itemId)),
    threadsOfDay: () => call("threadsOfDay", () => [...threads.keys()]),
    listThreads: ({ cursor, limit, archived }) =>
      call("listThreads", () => {
        const all = [...threads.values()]
          .filter((thread) => thread.isArchived === archived && thread.turns.length > 0)
          .reverse();
        const from = Number(cursor ?? 0);
        const next = from + limit;
        return {
          threads: all.slice(from, next).map(facts),
          next_cursor: next < all.length ? String(next) : null,
        };
      }),
    searchThreads: ({ text, cursor, limit, archived, ascending }) =>
      call("searchThreads", () => {
        const holding = [...threads.values()].filter(
          (thread) => thread.isArchived === archived && occurrences(thread, text).length > 0,
        );
        const all = ascending ? holding : holding.reverse();
        const next = Number(cursor ?? 0) + limit;
        return {
          found: all.slice(Number(cursor ?? 0), next).map((thread) => ({
            thread: facts(thread),
            snippet: occurrences(thread, text)[0]!.snippet,
          })),
          next_cursor: next < all.length ? String(next) : null,
        };
      }),
    searchMessages: (threadId, { text, cursor, limit }) =>
      call("searchMessages", () => {
        const all = occurrences(threadOf(threadId), text);
        const next = Number(cursor ?? 0) + limit;
        return {
          found: all.slice(Number(cursor ?? 0), next),
          next_cursor: next < all.length ? String(next) : null,
        };
      }),
    archiveThread: (threadId) =>
      call("archiveThread", () => {
        const thread = threadOf(threadId);
        if (thread.isHeldElsewhere)
          refuse("active_writer", `thread ${threadId} already has an active writer`);
        Object.assign(thread, { isArchived: true, isLoaded: false });
      }),
    unarchiveThread: (threadId) =>
      call("unarchiveThread", () => {
        threadOf(threadId).isArchived = false;
      }),
    deleteThread: (threadId) =>
      call("deleteThread", () => {
        threadOf(threadId);
        threads.delete(threadId);
      }),
    forkThread: (threadId, { settings, last_turn_id, mark }) =>
      call("forkThread", () => {
        const source = threadOf(threadId);
        const until =
          last_turn_id === null
            ? source.turns.length
            : source.turns.findIndex((turn) => turn.id === last_turn_id) + 1;
        const fork = newThread(settings);
        Object.assign(fork, {
          turns: structuredClone(source.turns.slice(0, until)),
          isDurable: true,
          name: source.name,
          hasTools: source.hasTools,
          mark,
          spent: structuredClone(source.spent),
        });
        tellSpent(fork);
        return { thread: facts(fork), effective: effective(fork) };
      }),
    revertThread: (threadId, beforeTurnId) =>
      call("revertThread", () => {
        const thread = loaded(threadId);
        const at = thread.turns.findIndex((turn) => turn.id === beforeTurnId);
        if (at < 0) refuse("other", "turn not found");
        Object.assign(thread, { turns: thread.turns.slice(0, at), path: `/sessions/${++ids}.jsonl` });
      }),
    compactThread: (threadId) =>
      call("compactThread", () => {
        const thread = loaded(threadId);
        const turn: TurnFacts = {
          id: id(),
          status: "in_progress",
          error: null,
          started_at: now(),
          completed_at: null,
          items: [item("context_compaction", "")],
        };
        thread.turns.push(turn);
        thread.running = { turn, steps: [], waitsFor: null, untaken: null };
        setStatus(thread, "active");
        emit({ kind: "turn_started", thread_id: threadId, turn_id: turn.id, at: now() });
        schedule(() => go(thread));
      }),
    readCatalogue: () => call("readCatalogue", () => structuredClone(catalogue)),
    listProfiles: () =>
      call("listProfiles", () => [
        { id: ":read-only", description: null, allowed: true },
        { id: "deploy", description: "may deploy", allowed: false },
      ]),
    reply: (from, reply) =>
      call("reply", () => {
        if (from !== epoch) throw down();
        replies.push(reply);
        const called = toolCalls.get(reply.rpc_id as number);
        if (called) {
          toolCalls.delete(reply.rpc_id as number);
          const isLast = ![...toolCalls.values()].some(({ thread }) => thread === called.thread);
          if (isLast) schedule(() => go(called.thread));
          return;
        }
        const question = questions.get(reply.rpc_id as number);
        if (!question) return;
        questions.delete(reply.rpc_id as number);
        emit({ kind: "request_resolved", thread_id: question.id, rpc_id: reply.rpc_id });
        if (reply.result?.["decision"] === "cancel") finish(question, "interrupted", null);
        else schedule(() => go(question));
      }),
    tap: () => () => {},
    close: async () => {
      const dead = epoch;
      epoch = null;
      if (dead !== null) sink.onExit(dead, "stopped");
    },
  };
}

/** A plain part of a message in any case; what a command printed is not looked through (measured). */
function occurrences({ turns }: ModelThread, text: string): Occurrence[] {
  return turns.flatMap((turn) =>
    turn.items
      .filter((item) => item.type === "user_message" || item.type === "agent_message")
      .flatMap((item) => {
        const start = item.text.toLowerCase().indexOf(text.toLowerCase());
        if (start < 0) return [];
        return [{ turn_id: turn.id, item_id: item.id, snippet: item.text, start, end: start + text.length }];
      }),
  );
}

function stepsOf(text: string): Step[] {
  try {
    // Most texts are plain, and a failed parse makes an error with its stack.
    const steps: unknown = text.startsWith("[") ? JSON.parse(text) : null;
    if (Array.isArray(steps)) return steps as Step[];
  } catch {
    // Plain text: answered below.
  }
  return [{ say: `ok: ${text}` }];
}
