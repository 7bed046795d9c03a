/** The fields of an op that MCP offers. */
import { markOf } from "../../ops/fields.ts";
import type { AnyOp } from "../../ops/op.ts";

export function offeredFields(op: AnyOp): string[] {
  return Object.keys(op.input.entries).filter((name) => !markOf(op.input.entries[name] as never).cli_only);
}
