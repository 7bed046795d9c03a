/**
 * What the scripts beside this call at each TAB: `dispatch __complete bash COMP_WORDBREAKS LINE-UP-TO-THE-CURSOR`, or
 * `zsh` or `fish` and the words, the last one up to the cursor. The first line of the answer says who completes
 * (`words`, or the shell itself: `files`, `directories`), the others are words, each with a tab and what it is.
 */
import { systemClock } from "../../../base/clock.ts";
import { readEnv } from "../../../base/env.ts";
import { limits } from "../../../base/limits.ts";
import { type Paths, pathsOf } from "../../../base/paths.ts";
import { writeOut } from "../../../base/stdio.ts";
import { cell } from "../../../base/text.ts";
import type { Named } from "../../../ops/fields.ts";
import type { IndexRow, Word } from "../../../ops/op.ts";
import { readFlags } from "../flags.ts";
import { type Globals, globalFlags } from "../globals.ts";
import { treeOf } from "../tree.ts";
import { typedIn } from "./line.ts";
import { listed } from "./live.ts";
import { type Offer, offerFor } from "./offer.ts";
import { bashWord } from "./quote.ts";

/** What only main can hand over. */
export interface CompletionParts {
  index: readonly IndexRow[];
  /** Of the configuration files that hold in a directory. */
  presets(directory: string, paths: Paths): Promise<readonly { name: string; file: string }[]>;
}

/** Always 0, and nothing on standard error: a shell shows both in the middle of a line. */
export async function complete(argv: readonly string[], parts: CompletionParts): Promise<number> {
  const late = systemClock.sleep(limits.client.completionMs).then(() => "");
  const answer = await Promise.race([answered(argv, parts), late]).catch(() => "");
  await writeOut(answer);
  return 0;
}

async function answered([shell, ...args]: readonly string[], parts: CompletionParts): Promise<string> {
  if (shell !== "bash") {
    const current = args.at(-1) ?? "";
    // fish hands the word under the cursor on as it stands, with its quotes.
    const typed = shell === "fish" ? typedIn(current).current : current;
    return shown(await offered(args.slice(0, -1), typed, parts));
  }
  const { before, current, kept, quote, isRedirect } = typedIn(args[1] ?? "", args[0]);
  if (isRedirect) return shown({ kind: "files" });
  const offer = await offered(before.slice(1), current, parts);
  if (offer.kind !== "words") return shown(offer);
  const words = offer.words.flatMap(({ word }) => bashWord(word.slice(kept.length), quote) ?? []);
  return shown({ kind: "words", words: words.map((word) => ({ word })) });
}

function offered(before: readonly string[], current: string, parts: CompletionParts): Promise<Offer> {
  const live = async (names: Named): Promise<readonly Word[]> => {
    const { flags } = readFlags(before, globalFlags, { isPartial: true });
    const paths = pathsOf(readEnv(), (flags as Globals).home);
    if (names !== "preset") return listed(names, parts.index, paths.socket);
    const presets = await parts.presets(process.cwd(), paths);
    return presets.map(({ name, file }) => ({ word: name, about: file }));
  };
  return offerFor(before, current, { tree: treeOf(parts.index), live });
}

function shown(offer: Offer): string {
  const lines = offer.kind === "words" ? offer.words : [];
  const about = lines.map(({ word, about }) =>
    about ? `${word}\t${cell(about, limits.client.completionColumns)}` : word,
  );
  return `${[offer.kind, ...about].join("\n")}\n`;
}
