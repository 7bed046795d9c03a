/** The calls of the board. The first one may start a daemon; after it none does, also when the daemon was stopped. */
import { fail } from "../../base/error.ts";
import type { IndexRow } from "../../ops/op.ts";
import type { Caller } from "../../ops/protocol.ts";
import type { SurfaceDeps } from "../deps.ts";
import type { Session } from "../session.ts";
import type { Row } from "../wire.ts";

export interface Calls {
  call(op: string, input: Row): Promise<Row>;
  /** Rows until `signal` aborts; then, or when the daemon ends it, it resolves. Rejects when the connection is lost. */
  follow(op: string, input: Row, row: (row: Row) => void, signal: AbortSignal): Promise<void>;
  /** From now on no call starts a daemon. */
  forbidStart(): void;
}

export function callsOf(session: Session, deps: Pick<SurfaceDeps, "index">, caller: Caller): Calls {
  let mayStart = true;
  const rowOf = (op: string): IndexRow => {
    const row = deps.index.find(({ name }) => name === op) ?? fail("internal", `no op is called ${op}`);
    return mayStart ? row : { ...row, start: "never" };
  };
  return {
    call(op, input) {
      const row = rowOf(op);
      const isKeyed = typeof input["idempotency_key"] === "string";
      return session.call(row, input, {
        caller,
        repeat: isKeyed ? "keyed" : row.intent === "read" ? "safe" : "no",
      });
    },
    async follow(op, input, row, signal) {
      await session.call(rowOf(op), input, { caller, repeat: "no", row, isStream: true, signal });
    },
    forbidStart() {
      mayStart = false;
    },
  };
}
