/** Asks the running daemon for names to complete. It starts no daemon and reports no failure. */
import type { Named } from "../../../ops/fields.ts";
import type { IndexRow, Word } from "../../../ops/op.ts";
import { callerHere } from "../../caller.ts";
import type { Session } from "../../session.ts";

export async function listed(
  names: Named,
  index: readonly IndexRow[],
  session: Session,
): Promise<readonly Word[]> {
  const row = index.find(({ lists }) => lists?.includes(names));
  if (!row) return [];
  const op = (await row.load()).default;
  const listing = op.at === "client" ? undefined : op.lists?.[names];
  if (!listing) return [];
  const options = { caller: callerHere("cli"), repeat: "no" } as const;
  return session
    .call({ ...row, start: "never" }, listing.input, options)
    .then(listing.words)
    .catch(() => []);
}
