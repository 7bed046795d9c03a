/** Asks the running daemon for names to complete. It starts no daemon and reports no failure. */

import type { Named } from "../../../ops/fields.ts";
import type { IndexRow, Word } from "../../../ops/op.ts";
import { callerHere } from "../../caller.ts";
import { connect } from "../../client.ts";

export async function listed(
  names: Named,
  index: readonly IndexRow[],
  socket: string,
): Promise<readonly Word[]> {
  const row = index.find(({ lists }) => lists?.includes(names));
  if (!row) return [];
  const op = (await row.load()).default;
  const listing = op.at === "client" ? undefined : op.lists?.[names];
  const connection = listing && (await connect(socket));
  if (!connection) return [];
  const { name, hash } = row;
  const call = { op: name, schema: hash, input: listing.input, caller: callerHere("cli") };
  const answer = await connection.call(call);
  connection.close();
  return "result" in answer ? listing.words(answer.result) : [];
}
