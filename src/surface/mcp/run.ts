/** Runs one op for a tool call, and takes the part of its result that the agent gets. */
import { systemClock } from "../../base/clock.ts";
import { fail } from "../../base/error.ts";
import { unknownField } from "../../base/issue.ts";
import type { Paths } from "../../base/paths.ts";
import { markOf, typeOf } from "../../ops/fields.ts";
import type { AnyOp, IndexRow } from "../../ops/op.ts";
import type { Caller } from "../../ops/protocol.ts";
import type { SurfaceDeps } from "../deps.ts";
import { checkedInput, type Input, mayBeLeftOut } from "../input.ts";
import type { Session } from "../session.ts";
import type { Row } from "../wire.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { Speller } from "./hint.ts";
import type { News } from "./news.ts";
import { offeredFields } from "./offered.ts";
import { withCalls, withoutEmpty } from "./result.ts";
import type { Tool } from "./tools.ts";

/** Shows a form at the host. Undefined: the person declined, or did not answer in time. */
export type AskPerson = (
  message: string,
  schema: Record<string, unknown>,
  signal: AbortSignal,
) => Promise<Record<string, unknown> | undefined>;

export interface Served {
  deps: SurfaceDeps;
  paths: Paths;
  session: Session;
  isNews: News;
  /** It is another machine's. */
  isElsewhere: boolean;
  elsewhere: Elsewhere;
  /** The person at the host, if the host can ask one. */
  askPerson: AskPerson | undefined;
}

export interface ToolCall {
  tool: Tool;
  args: Record<string, unknown>;
  meta: Record<string, unknown> | undefined;
  signal: AbortSignal;
  /** A line about a call that takes long. */
  progress(words: string): void;
}

/** One call, or one of several that a call makes. */
export interface Run {
  served: Served;
  call: Pick<ToolCall, "signal" | "progress">;
  row: IndexRow;
  op: AnyOp;
  caller: Caller;
}

/** The part of a result that the agent gets. */
export async function shownPart(
  { op, served, caller }: Run,
  whole: Row,
  isVerbose: boolean,
  speller: Speller,
): Promise<Row> {
  if (isVerbose) return whole;
  // Several agents of one host may share this process: each is shown the news itself.
  const isNews = (thread: string, turn: string) => served.isNews(`${caller.thread_id} ${thread}`, turn);
  const look = { now: systemClock.now(), isNews };
  return (await withCalls(withoutEmpty(op.lean?.(whole, look) ?? whole), speller)) as Row;
}

/** Checks the field names, drops the `null`s that models write for fields they leave out, and makes lists of lone strings. */
export function withOwnFields(op: AnyOp, given: Input): Input {
  const own = [
    "verbose",
    "host",
    ...(op.several ? ["threads"] : []),
    ...(op.asksPerson ? ["ask_person"] : []),
  ];
  const fields = [...offeredFields(op), ...own];
  const wrong = Object.keys(given).find((name) => !fields.includes(name));
  if (wrong !== undefined)
    return fail("usage", unknownField(wrong, fields), {
      hint: `the fields of ${op.cli}: ${fields.join(", ")}`,
    });
  const entries = Object.entries(given).flatMap(([name, value]) => {
    const schema = op.input.entries[name] as Parameters<typeof typeOf>[0] | undefined;
    if (value === null && (schema === undefined || mayBeLeftOut(schema))) return [];
    const isLone =
      typeof value === "string" && (schema === undefined ? name === "threads" : typeOf(schema) === "list");
    return [[name, isLone ? [value] : value] as const];
  });
  return Object.fromEntries(entries);
}

export async function runOp({ served, call, row, op, caller }: Run, given: Input): Promise<Row> {
  const { deps, paths, session } = served;
  const { signal } = call;
  const { input, parsed } = checkedInput(
    op,
    withTimeout(op, given),
    (field) => field,
    served.isElsewhere ? null : caller.cwd,
  );
  if (op.at === "client") {
    if (served.isElsewhere)
      return fail("usage", `${row.cli} is about this machine only`, {
        hint: `a person may run it there: dispatch --host HOST ${row.cli}`,
      });
    const { clientCtx } = await import("../clientcontext.ts");
    // The host asks its user before it runs a destructive tool, so this does not ask again.
    return op.run(
      parsed,
      clientCtx({ deps, paths, session, caller, signal, confirm: () => Promise.resolve(true), note() {} }),
    );
  }
  if (op.streams?.(parsed))
    return fail("usage", `over MCP ${row.cli} cannot follow without an end`, {
      hint: "give a timeout and a cursor instead",
    });
  const progress = (received: Row) => call.progress(op.progress?.(received) ?? JSON.stringify(received));
  return session.call(row, input, { caller, repeat: op.repeat, signal, row: progress });
}

/** A wait without a time limit ends before the host gives up the call. */
function withTimeout(op: AnyOp, given: Input): Input {
  const schema = op.input.entries["timeout"] as Parameters<typeof markOf>[0] | undefined;
  const limit = schema && markOf(schema).agent_default;
  const waits = !Object.hasOwn(op.input.entries, "wait") || given["wait"] === true;
  return limit === undefined || given["timeout"] !== undefined || !waits
    ? given
    : { ...given, timeout: limit };
}
