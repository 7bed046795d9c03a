/** Runs one tool call. Returns a result or an error in MCP's form, and never throws. */
import { fail } from "../../base/error.ts";
import { nearest } from "../../base/nearest.ts";
import type { AnyOp, IndexRow } from "../../ops/op.ts";
import type { Caller } from "../../ops/protocol.ts";
import { callerHere } from "../caller.ts";
import type { Input } from "../input.ts";
import { callingThread } from "./callingthread.ts";
import type { Speller } from "./hint.ts";
import { withPerson } from "./person.ts";
import { errorResult, type ToolResult, toolResult } from "./result.ts";
import { type Run, runOp, type Served, shownPart, type ToolCall, withOwnFields } from "./run.ts";
import { runSeveral } from "./several.ts";
import { isOffered, toolNameOf, wordOf } from "./tools.ts";

export async function callTool(here: Served, call: ToolCall): Promise<ToolResult> {
  const speller: Speller = { index: here.deps.index, isFlat: call.tool.isFlat };
  let op: AnyOp | undefined;
  try {
    const { row, given } = chosen(here, call);
    op = (await row.load()).default;
    const { verbose, ask_person, host, ...fields } = withOwnFields(op, given);
    const served = host === undefined ? here : await here.elsewhere.on(host, here);
    const caller: Caller = { ...callerHere("mcp"), thread_id: callingThread(call.meta) };
    const run: Run = { served, call, row, op, caller };
    if (op.several && fields["threads"] !== undefined)
      return await runSeveral(run, fields, verbose === true, speller);
    const once = () => runOp(run, fields);
    const whole = ask_person === true ? await withPerson(run, once) : await once();
    const status = op.exit?.(whole) ?? 0;
    const shown = await shownPart(run, whole, verbose === true, speller);
    const isAskedInVain = ask_person === true && served.askPerson === undefined;
    return toolResult(
      { ...shown, ...(isAskedInVain ? { note: "this host cannot ask its person" } : {}) },
      status === 0 ? {} : { exit_code: status },
    );
  } catch (thrown) {
    return errorResult(thrown, speller, op);
  }
}

function chosen({ deps }: Served, { tool, args }: ToolCall): { row: IndexRow; given: Input } {
  if (tool.isFlat) {
    const [row] = tool.rows.values();
    return { row: row!, given: args };
  }
  const { op, ...given } = args;
  const word = String(op ?? "");
  const row = tool.rows.get(word);
  if (row) return { row, given };
  if (word === "")
    return fail("usage", `missing op of ${tool.name}`, {
      hint: `op is one of: ${[...tool.rows.keys()].join(", ")}`,
    });
  const other = deps.index.find((one) => isOffered(one) && wordOf(one) === word);
  const right = nearest(word, tool.rows.keys());
  return fail("usage", `${tool.name} has no op "${word}"`, {
    hint: other
      ? `call ${toolNameOf(other, false)} with op: "${word}"`
      : right
        ? `op: ${right}`
        : `op is one of: ${[...tool.rows.keys()].join(", ")}`,
  });
}
