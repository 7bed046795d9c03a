/** One call that does the same for several threads. Each has its own result, and none hides the failure of another. */
import { errorLine, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Input } from "../input.ts";
import type { Row } from "../wire.ts";
import type { Speller } from "./hint.ts";
import { asDispatchError, type ToolResult, toolResult, wordsOfError } from "./result.ts";
import { type Run, runOp, shownPart, withOwnFields } from "./run.ts";

/** Runs the op once for each of `threads`, with the other fields as they are. Throws `usage` and `too_large`. */
export async function runSeveral(
  run: Run,
  { threads, ...common }: Input,
  isVerbose: boolean,
  speller: Speller,
): Promise<ToolResult> {
  const inputs = inputsOf(run, common, threads);
  const results: Row[] = [];
  let next = 0;
  const work = async () => {
    // After a cancel nobody reads the result: what has not begun is not begun.
    while (next < inputs.length && !run.call.signal.aborted) {
      const at = next++;
      results[at] = await resultOf(run, inputs[at]!, isVerbose, speller);
    }
  };
  await Promise.all(Array.from({ length: limits.mcp.severalAtOnce }, work));
  const failed = results.filter((result) => Object.hasOwn(result, "error") && Object.hasOwn(result, "for"));
  const whole = toolResult({ ...(failed.length > 0 ? { failed: failed.length } : {}), results });
  return failed.length === results.length ? { ...whole, isError: true } : whole;
}

async function resultOf(run: Run, input: Input, isVerbose: boolean, speller: Speller): Promise<Row> {
  try {
    return await shownPart(run, await runOp(run, input), isVerbose, speller);
  } catch (thrown) {
    const { each } = run.op.several!;
    const { code, retry, message, hint } = await wordsOfError(asDispatchError(thrown), speller, run.op);
    return {
      for: input[each ?? "name"],
      error: errorLine({ code, retry, message }),
      ...(hint === null ? {} : { hint }),
    };
  }
}

function inputsOf({ op }: Run, common: Input, threads: unknown): Input[] {
  const { each } = op.several!;
  if (!Array.isArray(threads) || threads.length === 0)
    return fail("usage", `threads must be a list of ${each === null ? "objects" : "threads"}`);
  if (threads.length > limits.mcp.severalMax)
    return fail("too_large", `threads takes at most ${limits.mcp.severalMax} in one call`, {
      hint: "make several calls",
    });
  const own = each ?? "name";
  if (common[own] !== undefined)
    return fail("usage", `${own} and threads exclude each other`, { hint: `put ${own} into threads` });
  const key = common["idempotency_key"];
  return threads.map((value: unknown, at) => {
    if (each === null && (typeof value !== "object" || value === null || Array.isArray(value)))
      return fail("usage", `threads: entry ${at + 1} must be an object with the fields of ${op.cli}`);
    return {
      ...common,
      // The same call again makes none of them a second time.
      ...(typeof key === "string" ? { idempotency_key: `${key}/${at + 1}` } : {}),
      ...(each === null ? withOwnFields(op, value as Input) : { [each]: value }),
    };
  });
}
