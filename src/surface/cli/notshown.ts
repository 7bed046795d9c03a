/** The error of a command that was carried out, and whose answer could not be written. */
import { DispatchError } from "../../base/error.ts";
import type { AnyOp } from "../../ops/op.ts";
import type { Input } from "../input.ts";
import type { Row } from "../wire.ts";

/** Unlike other errors of `storage`, a retry would do it a second time. The answer is in its data. */
export function notShown(
  why: DispatchError,
  op: AnyOp,
  { idempotency_key }: Input,
  result: Row,
): DispatchError {
  const { receipt, ref } = result;
  const look =
    typeof receipt === "string"
      ? `dispatch receipt get ${receipt}`
      : typeof ref === "string" && op.intent !== "destroy"
        ? `dispatch get ${ref}`
        : undefined;
  return new DispatchError(why.code, `the command was carried out, but its answer is lost: ${why.message}`, {
    ...(look ? { hint: look } : {}),
    retry: "no",
    data: { ...(idempotency_key ? { idempotency_key } : {}), result },
    cause: why,
  });
}
