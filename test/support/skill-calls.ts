/** The calls that a skill shows, as data: tests play them in hosts and compare them with the ops. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { AnyOp } from "../../src/ops/op.ts";

const skills = resolve(import.meta.dir, "../../plugins/dispatch/skills");

export function skillText(name: string): string {
  return readFileSync(join(skills, name, "SKILL.md"), "utf8");
}

export interface Call {
  /** The name of the op over MCP: `request_answer`. */
  op: string;
  args: Record<string, unknown>;
}

/** The lines `dispatch_<op> {json}` of its code blocks, in their order; what follows the JSON is a comment. */
export function callsIn(text: string): Call[] {
  const blocks = [...text.matchAll(/^```\n([\s\S]*?)^```$/gm)].map(([, block]) => block!);
  return blocks.flatMap((block) =>
    block
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [, op, json] = /^dispatch_(\w+) (\{.*\})(?:\s+#.*)?$/.exec(line) ?? [];
        if (op === undefined || json === undefined) throw new Error(`not a call: ${line}`);
        return { op, args: JSON.parse(json) as Call["args"] };
      }),
  );
}

/** A call for several threads as the calls of the op that it stands for. */
export function perThread({ op, args }: Call, several: AnyOp["several"]): Call[] {
  const { threads, ...others } = args as { threads?: unknown[] };
  if (threads === undefined || several === undefined) return [{ op, args }];
  const { each } = several;
  return threads.map((one) => ({
    op,
    args: { ...others, ...(each === null ? (one as object) : { [each]: one }) },
  }));
}
