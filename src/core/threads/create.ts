/**
 * `new`: lane and first message in one transaction, then thread, id, name, message. A crash after any step is safe: the
 * next delivery step continues, and a retry with the same key finds the same lane.
 */

import { sha256 } from "../../base/digest.ts";
import { errorMessage, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Ruling } from "../../contract/words.ts";
import { accept, plain } from "../delivery/accept.ts";
import type { Delivery } from "../delivery/modes.ts";
import { withdraw } from "../loading/newthread.ts";
import { openNew } from "../loading/open.ts";
import { undo } from "../loading/opening.ts";
import { refuseOwnFiles } from "../loading/ownfiles.ts";
import type { CoreDeps } from "../model/deps.ts";
import type { Lane, Message, MessageId, Ref } from "../model/ports/rows.ts";
import type { Store } from "../model/ports/store.ts";
import type { ThreadSettings } from "../model/ports/thread.ts";
import { isFinal } from "../model/refusal.ts";
import { noteBlock } from "../state/blocked.ts";
import { refuseFolder } from "../state/folder.ts";
import { freeHandle, isTaken, slug } from "../state/handle.ts";
import { laneRow } from "../state/lanerow.ts";
import { refuseMisleadingTitle } from "../state/title.ts";
import { limitToAgent } from "./agents.ts";
import { checkedSettings } from "./models.ts";

export interface NewThread {
  name: string;
  text: string | null;
  /** The objective of a native goal: paused until the text is delivered, then active. */
  goal: string | null;
  settings: ThreadSettings;
  /** For the first turn only. */
  output_schema?: Record<string, unknown> | null;
  /** The ruling for its requests that no rule decides; null: the configuration decides. */
  requests?: Ruling | null;
  key: string | null;
  created_by: string;
  /** The receipt of the text, where another machine accepted it. */
  receipt?: MessageId;
  /** The Codex thread that creates it, and may not create one with more permissions. */
  agent?: string | null;
}

export interface Created {
  ref: Ref;
  message: Message | null;
}

/** Throws `usage`, `conflict`, `agent_down` (nothing stored), `agent` (Codex refused the thread; nothing is left). */
export async function create(deps: CoreDeps, delivery: Delivery, draft: NewThread): Promise<Created> {
  const { store, agent, journal } = deps;
  const again = known(deps, draft);
  if (again) return again;
  checkNew(deps, draft);
  await agent.ready(limits.codex.readyWaitMs);
  const allowed = await limitToAgent(deps, draft);
  refuseOwnFiles(deps, allowed.settings, allowed.settings.may_write_home);
  const checked = { ...draft, settings: await checkedSettings(deps, allowed.settings, true) };
  // Checked once more: other calls may have run during the wait above.
  const raced = known(deps, draft);
  if (raced) return raced;

  refuseName(store, draft.name);
  const created = journal.commit((change) => {
    const lane = laneOf(deps, checked, digestOf(draft), change.now);
    store.lanes.add(lane);
    change.append({
      kind: "thread.created",
      lane: lane.ref,
      data: {
        title: lane.title.slice(0, limits.thread.previewCharsMax),
        cwd: lane.cwd.slice(0, limits.event.textCharsMax),
        by: draft.created_by,
      },
    });
    if (draft.text === null) return { ref: lane.ref, message: null };
    const overrides = draft.output_schema ? { output_schema: draft.output_schema } : null;
    const first = {
      ...plain,
      text: draft.text,
      overrides,
      caller: draft.created_by,
      ...(draft.receipt ? { id: draft.receipt } : {}),
    };
    const message = accept(deps, lane, first, { at: "back", now: change.now });
    change.append({ kind: "message.queued", lane: lane.ref, receipt: message.id, data: { mode: "send" } });
    return { ref: lane.ref, message };
  });
  await setUp(deps, created);
  delivery.kick(created.ref);
  return created;
}

/** After a refusal no half lane stays. After the death of the child the lane is continued when a child is up again. */
async function setUp(deps: CoreDeps, { ref }: Created): Promise<void> {
  const { store, log } = deps;
  await deps.locked(ref, async () => {
    try {
      await openNew(deps, ref);
    } catch (thrown) {
      const lane = store.lanes.find(ref);
      if (!isFinal(thrown) || lane?.durable_at != null) {
        noteBlock(deps, ref, thrown);
        log.warn("a new thread is not ready yet", { lane: ref, reason: errorMessage(thrown) });
        return;
      }
      // Without a name it leaves no file.
      if (lane?.thread_id != null) await undo(deps, lane.thread_id, false);
      withdraw(deps, ref, thrown);
      throw thrown;
    }
  });
}

function known({ store }: CoreDeps, draft: NewThread): Created | undefined {
  const lane = createdByKey(store, draft.key, digestOf(draft));
  if (!lane) return undefined;
  return { ref: lane.ref, message: draft.text === null ? null : (store.messages.first(lane.ref) ?? null) };
}

/** The lane that this key already created. Throws `conflict` when the key was used with other content. */
export function createdByKey(store: Store, key: string | null, digest: string): Lane | undefined {
  if (key === null) return undefined;
  const lane = store.lanes.findByCreateKey(key);
  const isOther = lane ? lane.create_digest !== digest : store.messages.findByKey(key) !== undefined;
  if (isOther)
    fail("conflict", "this idempotency key was used with other content", {
      hint: "use another --idempotency-key",
    });
  return lane;
}

/** Covers everything that the key identifies. */
function digestOf({ name, text, goal, settings, output_schema, requests }: NewThread): string {
  const policy = requests ? [requests] : [];
  return sha256(JSON.stringify(["new", name, text, goal, settings, output_schema ?? null, ...policy]));
}

/** Refuses what can be refused without Codex. Throws `usage`, `too_large`, `conflict` (the handle is taken). */
export function checkNew(deps: CoreDeps, draft: NewThread): void {
  checkNameless(deps, draft);
  refuseName(deps.store, draft.name);
}

/** The same of a thread whose name is not sure yet. */
export function checkNameless(deps: CoreDeps, draft: NewThread): void {
  const { store } = deps;
  const { cwd } = draft.settings;
  if (draft.text !== null && /^\s*\/goal(\s|$)/.test(draft.text)) {
    fail("usage", "a goal is not text: /goal is a command of Codex's terminal", {
      hint: "dispatch new --name NAME --goal OBJECTIVE",
    });
  }
  refuseFolder(deps, cwd);
  if (store.lanes.count() >= limits.thread.max)
    fail("too_large", `the registry holds ${limits.thread.max} threads`, { hint: "dispatch forget" });
}

/** Throws `usage` for a title that misleads, `conflict` for one whose handle is taken. */
export function refuseName(store: Store, name: string): void {
  refuseMisleadingTitle(store, name, (other) => `--name "${other}"`);
  const handle = slug(name);
  if (handle === "" || !isTaken(store, handle)) return;
  const free = freeHandle(store, handle);
  fail("conflict", `the handle @${handle} is taken`, {
    hint: `--name "${name} ${free.slice(free.lastIndexOf("-") + 1)}"`,
  });
}

function laneOf({ store, mint }: CoreDeps, draft: NewThread, digest: string, now: number): Lane {
  const { name: title, settings, created_by, goal } = draft;
  return {
    ...laneRow(store, mint, now, { title, source: "own", settings, created_by }),
    named_by_agent: draft.agent != null || draft.receipt !== undefined,
    handle: slug(title) || null,
    goal: goal === null ? null : { objective: goal, status: "paused", token_budget: null, tokens_used: null },
    goal_setup: goal === null ? null : "wanted",
    requests: draft.requests ?? null,
    create_key: draft.key,
    create_digest: draft.key === null ? null : digest,
  };
}
