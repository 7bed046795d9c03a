/** The hint for a thread that is not found here and is named as one of another machine. */
import { DispatchError } from "../../base/error.ts";
import { splitHost } from "../../base/hostref.ts";
import type { AnyOp } from "../../ops/op.ts";
import { fieldsOf } from "../cli/args.ts";
import { hostNameOf, type SessionContext } from "../cli/opensession.ts";
import { spell } from "../cli/spell.ts";
import type { Input } from "../input.ts";

/** `given` is the input as it was typed. The same error where no word has the form `box/ref`. */
export async function withFarHint(
  error: DispatchError,
  op: AnyOp,
  given: Input,
  context: SessionContext,
): Promise<DispatchError> {
  const field = fieldsOf(op).find(({ name, mark }) => mark.names === "thread" && farName(given[name]));
  const far = field && farName(given[field.name]);
  if (!far || hostNameOf(context.globals) !== undefined) return error;
  const hosts = Object.keys(await context.deps.hosts(context.paths));
  const input = { ...given, [field.name]: far.ref };
  const known = hosts.length > 0 ? `the hosts: ${hosts.join(", ")}` : "add [hosts.NAME] to config.toml";
  // The daemon may know another way: a relay.
  const others = [error.hint, `no host is called ${far.host}; ${known}`].filter((part) => part !== null);
  const hint = hosts.includes(far.host) ? spell(op, input, { host: far.host }) : others.join("; ");
  return new DispatchError(error.code, error.message, {
    hint,
    ...(error.data ? { data: error.data } : {}),
    cause: error,
  });
}

function farName(value: unknown) {
  return typeof value === "string" ? splitHost(value) : null;
}
