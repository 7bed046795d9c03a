/**
 * One op, one file: what an author writes, and all of it. CLI, MCP, control protocol, schemas, help and README's
 * table are projections of this; none is written by hand per op.
 */
import type * as v from "valibot";
import type { Code } from "../base/error.ts";
import type { Look } from "../base/text.ts";
import type { ClientCtx, Ctx } from "./ctx.ts";
import type { Named } from "./fields.ts";

export type Intent = "read" | "write" | "destroy";

/** May a client send it again by itself? `keyed`: yes, because the input carries an idempotency key. */
export type Repeat = "safe" | "keyed" | "no";

type Reach = "any" | "created" | "never";

/** The noun of the MCP tool `dispatch_<group>_<intent>`. */
export type Group = "thread" | "message" | "request" | "trigger" | "inbox" | "daemon";

export type ObjectSchema = v.GenericSchema<Record<string, unknown>, Record<string, unknown>> & {
  readonly entries: v.ObjectEntries;
};

export interface Example<I, O> {
  /** The state it starts from: a name of a situation in `test/world/given.ts`. */
  given: string;
  input: I;
  /** The part of the output that the example shows (matched as a subset), or the code it fails with. */
  output?: Partial<O> | Record<string, unknown>;
  error?: Code;
}

/** A word that a shell may complete to. */
export interface Word {
  word: string;
  about?: string | null;
  /** One more word for the same thing: offered to who has begun to type it. */
  isOther?: true;
}

interface Common<I extends ObjectSchema, O extends ObjectSchema> {
  /** Method on the control socket, `noun.verb`. */
  name: string;
  /** Words of the command line; with `_` for spaces, the `op` of the MCP tool. */
  cli: string;
  group: Group;
  summary: string;
  /** A few more lines for `--help`, where the summary is not enough. */
  about?: string;
  intent: Intent;
  /**
   * Of a write: which threads an agent may point it at. Left out: those it created, and its own; of one that names no
   * thread: none, so it is a person's.
   */
  reach?: Reach | ((input: v.InferOutput<I>) => Reach);
  repeat: Repeat;
  /** A method for other ops and no command: neither CLI nor MCP offers it. */
  hidden?: true;
  /** Its view is for another program to read: shown whoever reads it unless `--json`; MCP does not offer it. */
  plain?: true;
  input: I;
  output: O;
  /** It is answered by Codex, or changes something there. */
  asksCodex?: true;
  /** How it can fail beside what `failsOf` derives. Each is shown by an example. */
  fails?: readonly Code[];
  examples: readonly Example<v.InferInput<I>, v.InferOutput<O>>[];
  /** The human rendering; the surface cleans and prints it. */
  view(out: v.InferOutput<O>, look: Look): string;
  /** Exit status of a successful call whose result says something went wrong (`wait`, `send --wait`, `doctor`). */
  exit?(out: v.InferOutput<O>): number;
}

/** Runs in the daemon. */
export interface DaemonOp<I extends ObjectSchema = ObjectSchema, O extends ObjectSchema = ObjectSchema>
  extends Common<I, O> {
  at?: "daemon";
  /** `never`: the op answers `daemon_down` instead of starting a daemon. */
  start?: "auto" | "never";
  /** Schema skew is not checked: these answer every client for ever. */
  frozen?: true;
  /** True when this input makes it a stream: rows are printed as they come (NDJSON or `viewRow`), the result is not. */
  streams?(input: v.InferOutput<I>): boolean;
  viewRow?(row: Record<string, unknown>, look: Look): string;
  /** What it is asked, and what is taken of the answer, where a shell completes a word that names such a thing. */
  lists?: Partial<
    Record<Named, { input: Partial<v.InferInput<I>>; words(out: v.InferOutput<O>): readonly Word[] }>
  >;
  run(input: v.InferOutput<I>, ctx: Ctx): Promise<v.InferInput<O>> | v.InferInput<O>;
}

/** Runs in the client's process: `up`, `down`, `doctor`, `schema`. It has no method on the control socket. */
export interface ClientOp<I extends ObjectSchema = ObjectSchema, O extends ObjectSchema = ObjectSchema>
  extends Common<I, O> {
  at: "client";
  run(input: v.InferOutput<I>, ctx: ClientCtx): Promise<v.InferInput<O>> | v.InferInput<O>;
}

export type AnyOp = DaemonOp | ClientOp;

export function op<const I extends ObjectSchema, const O extends ObjectSchema>(
  authored: DaemonOp<I, O>,
): DaemonOp {
  return authored as unknown as DaemonOp;
}

export function clientOp<const I extends ObjectSchema, const O extends ObjectSchema>(
  authored: ClientOp<I, O>,
): ClientOp {
  return authored as unknown as ClientOp;
}

/**
 * A row of the generated index: enough to list and to route, with the op itself loaded only when it runs. What is left
 * out has the default of the op: it runs in the daemon, may start one, and so on.
 */
export interface IndexRow {
  name: string;
  cli: string;
  group: Group;
  intent: Intent;
  at?: "client";
  start?: "never";
  frozen?: true;
  /** On the control socket only. */
  hidden?: true;
  plain?: true;
  lists?: readonly Named[];
  /** Of the op's input and output JSON Schemas: client and daemon compare it to notice skew. */
  hash: string;
  load(): Promise<{ default: AnyOp }>;
  summary: string;
}

/** A command that is called without loading its op: its words and no flag. Its result is its whole answer. */
export interface QuickRead extends Pick<IndexRow, "name" | "cli" | "hash"> {
  /** The fields that the words after the command are, in this order. */
  args: readonly string[];
}
