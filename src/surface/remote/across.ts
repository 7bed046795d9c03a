/**
 * One command for several machines: each gets its own call, all at once, and the results are joined. A machine that does
 * not answer is named with its reason, and does not hide the others.
 */
import { codes, DispatchError, type ErrorBody, errorMessage, fail } from "../../base/error.ts";
import { splitHost } from "../../base/hostref.ts";
import { limits } from "../../base/limits.ts";
import type { DaemonOp, IndexRow, OnHost } from "../../ops/op.ts";
import type { Caller } from "../../ops/protocol.ts";
import { hostOf, type Opened, type SessionContext, sessionOn } from "../cli/opensession.ts";
import type { Input } from "../input.ts";
import type { Row } from "../wire.ts";
import { type Hosts, hostNamed, hostsNamed, type RemoteHost } from "./hosts.ts";

/** The call of one machine. `host` undefined: this one. */
interface Part {
  host: RemoteHost | undefined;
  input: Input;
}

interface Across {
  op: DaemonOp;
  row: IndexRow;
  caller: Caller;
  parts: readonly Part[];
  context: SessionContext;
}

export interface Unreachable {
  /** Null: this machine. */
  host: string | null;
  error: ErrorBody;
}

export interface Joined {
  result: Row & { unreachable: Unreachable[] };
  exit: number;
  isSkewed: boolean;
}

/** The calls of a command that concerns other machines besides `--host`. Undefined: it concerns one machine only. */
export async function partsOf(
  op: DaemonOp,
  input: Input,
  context: SessionContext,
): Promise<readonly Part[] | undefined> {
  const { field } = op.across!;
  const value = input[field];
  const explicit = context.globals.host;
  if (Array.isArray(value)) {
    const names = value.map(String);
    if (explicit !== undefined || !names.some((name) => splitHost(name))) return undefined;
    const hosts = await context.deps.hosts(context.paths);
    return partsByTarget(field, names, input, hosts, await hostOf(context));
  }
  if (value !== true) return undefined;
  if (explicit !== undefined)
    fail("usage", `--${field} and --host exclude each other`, { hint: `dispatch ${op.cli} --${field}` });
  const { [field]: _, ...rest } = input;
  const hosts = hostsNamed(await context.deps.hosts(context.paths));
  if (hosts.length === 0)
    fail("not_found", "no host is configured", {
      hint: 'add it to config.toml: [hosts.box] ssh = "user@box"',
    });
  return [undefined, ...hosts].map((host) => ({ host, input: rest }));
}

/**
 * A name whose first part is no host is one of the machine that other commands of this shell mean: a title may contain a
 * slash. Undefined: all of them are.
 */
function partsByTarget(
  field: string,
  names: readonly string[],
  input: Input,
  hosts: Hosts,
  usual: RemoteHost | undefined,
): Part[] | undefined {
  const groups = Map.groupBy(names, (name) => {
    const host = splitHost(name)?.host;
    return host !== undefined && Object.hasOwn(hosts, host) ? host : null;
  });
  if (groups.size === 1 && groups.has(null)) return undefined;
  if (groups.size > limits.host.atOnceMax)
    fail("too_large", `one command reads at most ${limits.host.atOnceMax} machines`, {
      hint: "name fewer of them",
    });
  return [...groups].map(([name, own]) => ({
    host: name === null ? usual : hostNamed(name, hosts),
    input: { ...input, [field]: name === null ? own : own.map((one) => splitHost(one)!.ref) },
  }));
}

export async function runAcross({ op, row, caller, parts, context }: Across): Promise<Joined> {
  const { join, isEnough } = op.across!;
  const opened: Opened[] = [];
  const answers: OnHost<Row>[] = [];
  const unreachable: Unreachable[] = [];
  const stop = new AbortController();

  const ask = async ({ host, input }: Part) => {
    const name = host?.name ?? null;
    try {
      const one = await sessionOn(host, context, limits.host.severalDialMs);
      opened.push(one);
      const options = { caller, repeat: op.repeat, signal: stop.signal } as const;
      const out = await one.session.call(row, input, options);
      if (stop.signal.aborted) return;
      answers.push({ host: name, out });
      if (isEnough?.(input, out)) stop.abort();
    } catch (thrown) {
      if (stop.signal.aborted) return;
      // The input is wrong, on whichever machine: nothing else is asked for.
      if (thrown instanceof DispatchError && !isOfMachine(thrown)) throw withHost(thrown, name);
      unreachable.push({ host: name, error: bodyOf(thrown) });
    }
  };
  const waiting = [...parts];
  const work = async () => {
    for (let part = waiting.shift(); part && !stop.signal.aborted; part = waiting.shift()) await ask(part);
  };
  const { promise: enough, resolve } = Promise.withResolvers<void>();
  stop.signal.addEventListener("abort", () => resolve());
  try {
    await Promise.race([enough, Promise.all(Array.from({ length: limits.host.atOnceMax }, work))]);
  } finally {
    for (const { session } of opened) session.close();
  }
  // In the order of the configuration, whichever answered first.
  const order = parts.map(({ host }) => host?.name ?? null);
  answers.sort((a, b) => order.indexOf(a.host) - order.indexOf(b.host));
  const result = join(answers);
  return {
    result: { ...result, unreachable },
    exit: unreachable.length > 0 ? codes.host_down.exit : (op.exit?.(result) ?? 0),
    isSkewed: opened.some((one) => one.isSkewed()),
  };
}

/** Failures that are of the machine and not of the call: another machine may well answer the same. */
function isOfMachine({ code }: DispatchError): boolean {
  return code !== "usage" && code !== "not_found" && code !== "conflict";
}

function withHost(error: DispatchError, host: string | null): DispatchError {
  if (host === null) return error;
  const hint = error.hint?.replace(/\bdispatch (?=[a-z])/g, `dispatch --host ${host} `);
  return new DispatchError(error.code, `${host}: ${error.message}`, {
    ...(hint === undefined ? {} : { hint }),
    data: { ...error.data, host },
    cause: error,
  });
}

function bodyOf(thrown: unknown): ErrorBody {
  return thrown instanceof DispatchError
    ? thrown.body
    : new DispatchError("internal", `this is a bug in dispatch: ${errorMessage(thrown)}`).body;
}

/** A line about a machine that did not answer. */
export function unreachableLine({ host, error }: Unreachable): string {
  return `${host ?? "this machine"}: ${error.message}${error.hint === null ? "" : ` (${error.hint})`}`;
}
