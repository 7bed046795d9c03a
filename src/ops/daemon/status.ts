import * as v from "valibot";
import { iso, isoOrNull } from "../../base/clock.ts";
import type { Fault } from "../../base/faults.ts";
import { limits } from "../../base/limits.ts";
import { pairs } from "../../base/table.ts";
import { ago, cell, paint, span } from "../../base/text.ts";
import { codexStates } from "../../contract/words.ts";
import type { AgentStatus } from "../../core/model/ports/agent.ts";
import { op } from "../op.ts";
import { relayFault, relayObject, relayOf, relayRow } from "../relaystatus.ts";
import { limitLine } from "../threadpairs.ts";

export default op({
  name: "daemon.status",
  cli: "daemon status",
  group: "daemon",
  task: "maintain",
  summary: "Show the daemon, its Codex and their faults",
  intent: "read",
  repeat: "safe",
  start: "never",
  frozen: true,
  input: v.strictObject({}),
  output: v.object({
    pid: v.number(),
    version: v.string(),
    uptime_seconds: v.number(),
    started_at: v.string(),
    home: v.string(),
    socket: v.string(),
    codex_home: v.nullable(v.string()),
    environment: v.object({
      user: v.string(),
      cwd: v.string(),
      terminal: v.boolean(),
      /** The command that started it. Null for a service manager, or a person in a terminal. */
      by: v.nullable(v.string()),
      path: v.nullable(v.string()),
    }),
    threads: v.object({ total: v.number(), by_status: v.record(v.string(), v.number()) }),
    queue: v.object({ queued: v.number(), unsure: v.number() }),
    open_requests: v.number(),
    /** Usage limits of accounts: no queued text starts a turn on that model provider until then. */
    limits: v.optional(
      v.array(v.object({ provider: v.string(), since: v.string(), until: v.string(), reason: v.string() })),
    ),
    running: v.array(v.object({ ref: v.string(), title: v.string(), turn_id: v.nullable(v.string()) })),
    cursor: v.string(),
    rss_bytes: v.number(),
    child: v.object({
      state: v.picklist(codexStates),
      pid: v.nullable(v.number()),
      epoch: v.nullable(v.number()),
      version: v.nullable(v.string()),
      restarts: v.number(),
      /** Set while Codex has started and has not answered `initialize` yet. */
      starting_since: v.nullable(v.string()),
      garbage_lines: v.number(),
      retry_at: v.nullable(v.string()),
      last_error: v.nullable(v.string()),
      warnings: v.array(v.string()),
    }),
    /** null: none is configured. */
    relay: v.optional(v.nullable(relayObject)),
    degraded: v.array(v.object({ code: v.string(), message: v.string(), hint: v.nullable(v.string()) })),
    previous: v.nullable(v.object({ clean: v.boolean(), last_seen_at: v.string() })),
  }),
  examples: [
    {
      given: "two threads",
      input: {},
      output: { threads: { total: 2, by_status: { idle: 2 } }, degraded: [] },
    },
    {
      given: "Codex is down",
      input: {},
      output: { child: { state: "degraded" }, degraded: [{ code: "agent_down" }] },
    },
  ],
  run(_input, { core, host }) {
    const agent = core.agent();
    const counts = core.counts();
    return {
      pid: host.pid,
      version: host.version,
      uptime_seconds: Math.floor(host.uptimeMs() / 1000),
      started_at: iso(host.startedAt),
      home: host.paths.home,
      socket: host.paths.socket,
      codex_home: agent.codex_home,
      environment: host.startedBy,
      threads: { total: counts.lanes, by_status: counts.byStatus },
      queue: { queued: counts.queued, unsure: counts.messages.unsure ?? 0 },
      open_requests: counts.requests,
      limits: core.usageLimits().map(({ provider, began_at, until, reason }) => ({
        provider,
        since: iso(began_at),
        until: iso(until),
        reason,
      })),
      running: core
        .running()
        .map(({ ref, title, latest_turn }) => ({ ref, title, turn_id: latest_turn?.id ?? null })),
      cursor: core.cursor(),
      rss_bytes: host.rssBytes(),
      child: {
        state: agent.state,
        pid: agent.pid,
        epoch: agent.epoch,
        version: agent.version,
        restarts: agent.restarts,
        starting_since: isoOrNull(agent.starting_since),
        garbage_lines: agent.garbage_lines,
        retry_at: isoOrNull(agent.retry_at),
        last_error: agent.last_error?.message ?? null,
        warnings: agent.warnings,
      },
      relay: relayOf(core),
      degraded: degradedOf(agent).concat(
        relayFault(core),
        startingLong(agent),
        core.crashers().map(({ ref, message }) => ({
          code: "agent",
          message,
          hint: `to try it again: dispatch queue release ${ref}`,
        })),
        refusedBy(core.writeRefusal()),
        host.faults().map(degradedBy),
      ),
      previous: host.previous && {
        clean: host.previous.is_clean,
        last_seen_at: iso(host.previous.last_seen_at),
      },
    };
  },
  view(out, look) {
    const { child, threads } = out;
    const statuses = Object.entries(threads.by_status).map(([status, n]) => `${n} ${status}`);
    const rows: [string, string][] = [
      [
        "daemon",
        `${out.version}, pid ${out.pid}, up ${span(out.uptime_seconds)}, ${Math.round(out.rss_bytes / 1e6)} MB`,
      ],
      ["home", cell(out.home)],
      [
        "codex",
        `${child.state === "running" ? paint("green", child.state) : paint("yellow", child.state)}${child.version ? ` ${cell(child.version)}` : ""}${child.pid ? `, pid ${child.pid}, epoch ${child.epoch}` : ""}, ${child.restarts} restarts`,
      ],
      ["codex home", cell(out.codex_home)],
      [
        "started",
        `${ago(out.started_at, look)} by ${cell(out.environment.by ?? "dispatchd")}, as ${cell(out.environment.user)}, in ${cell(out.environment.cwd)}`,
      ],
      // The JSON has the whole path.
      ["path", cell(out.environment.path, look.width - "codex home  ".length)],
      ["threads", `${threads.total}${statuses.length > 0 ? `: ${statuses.join(", ")}` : ""}`],
      [
        "queue",
        `${out.queue.queued} waiting${out.queue.unsure ? `, ${out.queue.unsure} unsure` : ""}; ${out.open_requests} open questions`,
      ],
      ...relayRow(out.relay),
      ["log at", cell(out.cursor)],
    ];
    for (const limit of out.limits ?? [])
      rows.push([paint("yellow", "limited"), `${cell(limit.provider)} ${limitLine(limit, look)}`]);
    if (out.previous && !out.previous.clean)
      rows.push([
        "before",
        `the previous daemon did not stop cleanly; its log ends ${ago(out.previous.last_seen_at, look)}`,
      ]);
    for (const warning of child.warnings) rows.push([paint("yellow", "warning"), cell(warning)]);
    if (child.starting_since)
      rows.push(["waits", `for codex to answer initialize, since ${ago(child.starting_since, look)}`]);
    if (child.retry_at) rows.push(["next try", ago(child.retry_at, look)]);
    for (const { message, hint } of out.degraded)
      rows.push([
        paint("red", "degraded"),
        `${cell(message)}${hint ? `\n${paint("bold", cell(hint))}` : ""}`,
      ]);
    return pairs(rows, look);
  },
});

/** Present until the next successful write. The daemon retries by itself while something waits to be stored. */
function refusedBy(reason: string | null): { code: string; message: string; hint: string }[] {
  if (reason === null) return [];
  const message = `nothing new can be stored, reads still work: ${reason}`;
  return [{ code: "storage", message, hint: "free space on that disk; dispatch doctor names it" }];
}

/** A bug. Everything else keeps working; the failed work may be incomplete. */
function degradedBy({ id, what, why, times, at }: Fault): { code: string; message: string; hint: string } {
  const often = times === 1 ? "" : `, ${times} times`;
  const message = `${what}${why === null ? "" : `: ${why}`} (${id}${often}, last at ${iso(at)})`;
  return { code: "internal", message, hint: "dispatch daemon log --raw" };
}

/** The daemon waits while Codex uses CPU time: a Codex that reads all its rollouts again takes long (facts F65). */
function startingLong({
  starting_since,
  starting_ms,
  pid,
  garbage_lines,
}: AgentStatus): { code: string; message: string; hint: string }[] {
  if (starting_since === null || (starting_ms ?? 0) < limits.codex.startTimeoutMs) return [];
  const garbage =
    garbage_lines === 0 ? "" : `, and printed ${garbage_lines} lines that are not of its protocol`;
  const message = `codex (pid ${pid}) is busy, and has not answered initialize since ${iso(starting_since)}${garbage}`;
  return [{ code: "agent_down", message, hint: "to start another one instead: dispatch daemon retry" }];
}

/** A Codex that is down, and what the running one cannot do. */
function degradedOf({
  state,
  last_error,
  lacks,
  advice,
  program,
}: AgentStatus): { code: string; message: string; hint: string }[] {
  const { message, hint } = last_error ?? { message: "Codex is down", hint: null };
  const lost = lacks.map((message) => ({
    code: "agent",
    message,
    hint: advice,
  }));
  if (program === "replaced")
    lost.push({
      code: "agent",
      message:
        "the program of the running codex was replaced on disk: sandboxed commands fail until the new one starts",
      hint: "it starts when no turn runs; to start it now: dispatch down --force && dispatch up",
    });
  if (program === "removed")
    lost.push({
      code: "agent",
      message: "the program of the running codex was removed from disk: sandboxed commands fail",
      hint: "npm install -g @openai/codex",
    });
  if (state !== "degraded") return lost;
  return [{ code: "agent_down", message, hint: hint ?? "dispatch daemon retry" }, ...lost];
}
