/**
 * Carries out the calls of a thread's own tools. Each goes the way of every other call (`daemon/call.ts`): the op, its
 * validation, the policy for agents, the audit. The caller is the thread that Codex names, which no thread can forge.
 */
import { sha256 } from "../../base/digest.ts";
import { DispatchError, fail } from "../../base/error.ts";
import { unknownField } from "../../base/issue.ts";
import { limits } from "../../base/limits.ts";
import { nearest } from "../../base/nearest.ts";
import { version } from "../../base/version.ts";
import { isToolNamespace, toolNamespace } from "../../contract/tools.ts";
import type { ThreadToolCall, ToolRunner } from "../../core/model/ports/tool.ts";
import type { IndexRow } from "../../ops/op.ts";
import type { Caller } from "../../ops/protocol.ts";
import type { Call } from "../call.ts";
import { type ThreadTool, v1 } from "./v1.ts";
import { errorText, resultText } from "./words.ts";

/** Every version that a thread may have. None is ever removed. */
const versions: Readonly<Record<string, Readonly<Record<string, ThreadTool>>>> = { [toolNamespace]: v1 };

/** `call` resolves when the daemon takes calls. */
export function toolRunner(index: readonly IndexRow[], call: () => Promise<Call>): ToolRunner {
  const hashes = new Map(index.map((row) => [row.name, row.hash]));
  return {
    async run(request, signal) {
      try {
        const tool = toolOf(request);
        const { op, input, result } = tool.use(argumentsOf(tool, request), keyOf(request));
        const { thread_id, cwd } = request;
        const caller: Caller = { kind: "tool", thread_id, cwd };
        const frame = { id: 0, op, schema: hashes.get(op) ?? "", input, caller };
        const out = await (await call())(frame, signal, async () => {});
        return { outcome: "ok", text: resultText(result(out)) };
      } catch (thrown) {
        return errorText(spelled(thrown));
      }
    },
  };
}

/** Throws `usage` with the tools that there are. */
function toolOf({ namespace, name }: ThreadToolCall): ThreadTool {
  const tools = Object.hasOwn(versions, namespace ?? "") ? versions[namespace!]! : undefined;
  if (tools && Object.hasOwn(tools, name)) return tools[name]!;
  const what = (namespace === null ? name : `${namespace}.${name}`).slice(0, limits.tool.nameCharsMax);
  if (!tools && isToolNamespace(namespace ?? ""))
    return fail("stale", `dispatch ${version} is older than ${what}`, { hint: "a person upgrades dispatch" });
  const known = Object.keys(tools ?? v1);
  const right = nearest(name, known);
  return fail("usage", `dispatch offers no tool ${what}`, {
    hint: right ? `call ${right}` : `it offers ${known.join(", ")}`,
  });
}

/** Models write `null` for fields that they leave out. The values are checked by the op. */
function argumentsOf(
  { text }: ThreadTool,
  { arguments: given, name }: ThreadToolCall,
): Record<string, unknown> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return fail("usage", `the arguments of ${name} must be an object`);
  const known = Object.keys(text.properties);
  const entries = Object.entries(given).filter(([, value]) => value !== null);
  const stray = entries.find(([field]) => !known.includes(field));
  if (stray)
    fail("usage", unknownField(stray[0], known), { hint: `the fields of ${name}: ${known.join(", ")}` });
  const args = Object.fromEntries(entries);
  const missing = text.required.find((field) => args[field] === undefined);
  if (missing !== undefined) fail("usage", `${name} needs ${missing}`);
  return args;
}

/**
 * The same call does its work once, however often Codex sends it. The arguments belong to it, because some providers
 * start to count again with each answer.
 */
function keyOf({ thread_id, turn_id, call_id, name, arguments: given }: ThreadToolCall): string | null {
  if (call_id === null) return null;
  return `tool ${sha256(JSON.stringify([thread_id, turn_id, call_id, name, given]))}`;
}

/** `--help` of a command is no help to a model. */
function spelled(thrown: unknown): unknown {
  if (!(thrown instanceof DispatchError) || !/^dispatch [a-z ]+ --help$/.test(thrown.hint ?? ""))
    return thrown;
  return new DispatchError(thrown.code, thrown.message, { cause: thrown });
}
