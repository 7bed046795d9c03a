/**
 * The definition of an op: one op, one file. CLI, MCP, control protocol, schemas, help and README's table are generated
 * from it; nothing else is written by hand per op.
 */
import type * as v from "valibot";
import type { Code } from "../base/error.ts";
import type { Look } from "../base/text.ts";
import type { ClientCtx, Ctx } from "./ctx.ts";
import type { Named } from "./fields.ts";
import type { LeanLook } from "./lean.ts";

export type Intent = "read" | "write" | "destroy";

/** Whether a client may repeat the call by itself. `keyed`: yes, because the input has an idempotency key. */
export type Repeat = "safe" | "keyed" | "no";

type Reach = "any" | "created" | "never";

/** What a person wants to do: the sections of the help. */
export const tasks = {
  start: "make a thread, or take one over",
  send: "give it text, see what became of it, stop it",
  answer: "what threads ask you, and messages for you",
  look: "what they do, said and did",
  organise: "names, archive, history, goals",
  automate: "at a time, or when something happens",
  maintain: "the daemon, the registry, the installation",
} as const;
export type Task = keyof typeof tasks;

/** The noun of the MCP tool `dispatch_<group>_<intent>`. */
export type Group = "thread" | "plan" | "message" | "request" | "trigger" | "inbox" | "daemon";

export type ObjectSchema = v.GenericSchema<Record<string, unknown>, Record<string, unknown>> & {
  readonly entries: v.ObjectEntries;
};

export interface Example<I, O> {
  /** The initial state: the name of a situation in `test/world/given.ts`. */
  given: string;
  input: I;
  /** A part of the output (matched as a subset), or the code of the error. */
  output?: Partial<O> | Record<string, unknown>;
  error?: Code;
}

/** A word that a shell may complete. */
export interface Word {
  word: string;
  about?: string | null;
  /** Another name of the same thing. It is offered only after its first character is typed. */
  isOther?: true;
}

/** A result of one machine. `host` null: of this one. */
export interface OnHost<T> {
  host: string | null;
  out: T;
}

interface Common<I extends ObjectSchema, O extends ObjectSchema> {
  /** The method on the control socket, `noun.verb`. */
  name: string;
  /** The words of the command line. With `_` for spaces it is the `op` of the MCP tool. */
  cli: string;
  /** The words that the Python original used for it. They are routed, and shown nowhere else. */
  also?: string;
  group: Group;
  task: Task;
  summary: string;
  /** More lines for `--help`. */
  about?: string;
  intent: Intent;
  /**
   * For a write: the threads on which an agent may call it. Default: those that the agent created, and its own. A write
   * that names no thread is then for persons only.
   */
  reach?: Reach | ((input: v.InferOutput<I>) => Reach);
  repeat: Repeat;
  /** Not offered over MCP: it is for the person at a shell. */
  isForPersons?: true;
  /** A method for other ops: neither CLI nor MCP offers it. */
  hidden?: true;
  /** The view is input for another program, so it is printed through a pipe too, unless `--json`. Not offered over MCP. */
  plain?: true;
  input: I;
  output: O;
  /** The op calls Codex. */
  asksCodex?: true;
  /** Error codes besides those that `failsOf` derives. An example must show each. */
  fails?: readonly Code[];
  examples: readonly Example<v.InferInput<I>, v.InferOutput<O>>[];
  /** The essential part of the output, for agents. Absent: all of it. */
  lean?(out: v.InferOutput<O>, look: LeanLook): Record<string, unknown>;
  /**
   * Over MCP one call may do it for several: a list `threads` of values of the field `each`, or of objects of all
   * fields when `each` is null. `shows`: the fields of such an object that the schema names.
   */
  several?: { each: string } | { each: null; shows: readonly string[] };
  /** Fields that the listing of a group's tool leaves out, because it costs every agent's context. They are taken. */
  rare?: readonly string[];
  /** The summary in the words that an agent looks for: hosts search for tools by titles and descriptions. */
  forAgents?: string;
  /** Where an agent that looks for something else and finds this one should go. */
  see?: string;
  /** What an agent gets, in short. */
  returns?: string;
  /** Over MCP the caller may have open questions put to the person at the host. */
  asksPerson?: true;
  /** A progress row in words. */
  progress?(row: Record<string, unknown>): string;
  /** Another command undoes it, so MCP offers it with the writes although the command line asks first. */
  undoable?: true;
  /** The text for a terminal. The surface removes control characters and prints it. */
  view(out: v.InferOutput<O>, look: Look): string;
  /** The exit status of a call that succeeded but whose result reports a failure (`wait`, `send --wait`, `doctor`). */
  exit?(out: v.InferOutput<O>): number;
}

/** Lines below the rows of a stream, drawn again as time passes. */
export interface Footer<Given = Record<string, unknown>, Checked = Record<string, unknown>> {
  /** What the call asks for besides, so that the lines are right from the beginning; undefined: no footer for this input. */
  input(input: Checked): Partial<Given> | undefined;
  begin(): FooterLines;
}

export interface FooterLines {
  /** False: the row was for the footer, and is not printed. */
  note(row: Record<string, unknown>): boolean;
  lines(look: Look): string[];
}

/** An op that runs in the daemon. */
export interface DaemonOp<I extends ObjectSchema = ObjectSchema, O extends ObjectSchema = ObjectSchema>
  extends Common<I, O> {
  at?: "daemon";
  /** `never`: the client fails with `daemon_down` instead of starting a daemon. */
  start?: "auto" | "never";
  /** The schema hash is not checked: this op answers clients of every version. */
  frozen?: true;
  /** True when this input makes the call a stream: rows are printed as they come (NDJSON or `viewRow`), not the result. */
  streams?(input: v.InferOutput<I>): boolean;
  viewRow?(row: Record<string, unknown>, look: Look): string;
  /**
   * On the command line one call may concern several machines. `field`: a switch that means every host of the
   * configuration and this machine, or a list of which each value may be `box/ref`.
   */
  across?: {
    field: string;
    /** One result of those of several machines, in which each row names its host. */
    join(answers: readonly OnHost<v.InferOutput<O>>[]): v.InferInput<O>;
    /** This result ends the calls of the other machines. */
    isEnough?(input: Record<string, unknown>, out: v.InferOutput<O>): boolean;
  };
  /** For a stream on a terminal: what stays below its rows. */
  footer?: Footer<v.InferInput<I>, v.InferOutput<I>>;
  /** For completion in a shell: the input of the call, and the words to take from its output, by kind of name. */
  lists?: Partial<
    Record<Named, { input: Partial<v.InferInput<I>>; words(out: v.InferOutput<O>): readonly Word[] }>
  >;
  run(input: v.InferOutput<I>, ctx: Ctx): Promise<v.InferInput<O>> | v.InferInput<O>;
}

/** An op that runs in the client's process, such as `up` and `doctor`. It has no method on the control socket. */
export interface ClientOp<I extends ObjectSchema = ObjectSchema, O extends ObjectSchema = ObjectSchema>
  extends Common<I, O> {
  at: "client";
  /**
   * It only calls the daemon and writes what that answers, so for another machine it runs here. Any other op of the client
   * looks at files and processes, and runs as a command on that machine.
   */
  isOfAnswers?: true;
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
 * A row of the generated index: enough to list and to route. The op itself is loaded only when it runs. An absent field
 * has the default of the op.
 */
export interface IndexRow {
  name: string;
  cli: string;
  also?: string;
  group: Group;
  task: Task;
  intent: Intent;
  at?: "client";
  start?: "never";
  frozen?: true;
  hidden?: true;
  plain?: true;
  isForPersons?: true;
  undoable?: true;
  lists?: readonly Named[];
  /** The hash of the op's input and output JSON Schemas. Client and daemon compare it. */
  hash: string;
  load(): Promise<{ default: AnyOp }>;
  summary: string;
}

/** A read that `quick` can call without loading its op. */
export interface QuickRead extends Pick<IndexRow, "name" | "cli" | "hash"> {
  /** The fields of the words after the command, in their order. */
  args: readonly string[];
}
