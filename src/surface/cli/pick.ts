/** Offers the threads, questions and so on for an argument that was left out: to a person at a terminal, never in a pipe. */
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { cell, toTerminal } from "../../base/text.ts";
import type { Named } from "../../ops/fields.ts";
import type { Word } from "../../ops/op.ts";
import { type Input, mayBeLeftOut } from "../input.ts";
import type { Field } from "./args.ts";
import { mayAsk } from "./confirm.ts";
import type { Globals } from "./globals.ts";

/** `list` returns the current names of a kind; empty: there is nothing to offer. Throws `usage` when nothing is chosen. */
export async function withChosen(
  given: Input,
  fields: readonly Field[],
  globals: Globals,
  list: (names: Named) => Promise<readonly Word[]>,
): Promise<Input> {
  const open = fields.find(
    ({ name, mark, schema }) =>
      mark.arg && mark.names !== undefined && given[name] === undefined && !mayBeLeftOut(schema),
  );
  if (!open || !mayAsk(globals)) return given;
  const words = (await list(open.mark.names!)).filter(({ isOther }) => !isOther);
  if (words.length === 0) return given;
  const { consola } = await import("consola");
  const chosen: unknown = await consola.prompt(`which ${open.mark.names}?`, {
    type: "select",
    options: words.slice(0, limits.client.choicesMax).map(({ word, about }) => ({
      value: word,
      label: plain(word),
      hint: plain(about ?? ""),
    })),
    cancel: "null",
  });
  if (typeof chosen !== "string") return fail("usage", `missing ${open.spelled}: nothing was chosen`);
  return { ...given, [open.name]: open.type === "list" ? [chosen] : chosen };
}

const plain = (text: string) => toTerminal(cell(text, limits.client.completionColumns), { color: false });
