/**
 * `dispatch __complete`, which the scripts in this folder call at each TAB: `bash COMP_WORDBREAKS LINE-UP-TO-THE-CURSOR`,
 * or `zsh` or `fish` and the words, the last one up to the cursor. The first line of the output is the kind: `words`,
 * or `files` or `directories`, which the shell completes itself. Each other line is a word, a tab and its description.
 */
import { systemClock } from "../../../base/clock.ts";
import { readEnv } from "../../../base/env.ts";
import { limits } from "../../../base/limits.ts";
import { type Paths, pathsOf } from "../../../base/paths.ts";
import { writeOut } from "../../../base/stdio.ts";
import { cell } from "../../../base/text.ts";
import type { Named } from "../../../ops/fields.ts";
import type { Word } from "../../../ops/op.ts";
import { readFlags } from "../flags.ts";
import { type Globals, globalFlags } from "../globals.ts";
import { hostOf, type SessionDeps, sessionOn } from "../opensession.ts";
import { treeOf } from "../tree.ts";
import { typedIn } from "./line.ts";
import { listed } from "./live.ts";
import { type Offer, offerFor } from "./offer.ts";
import { bashWord } from "./quote.ts";

/** What `main` passes in, because a surface may not import it. */
export interface CompletionDeps extends SessionDeps {
  /** The presets of the configuration files that apply in a directory. */
  presets(directory: string, paths: Paths): Promise<readonly { name: string; file: string }[]>;
}

/** Returns 0 and writes nothing to standard error in every case: a shell would show an error in the middle of a line. */
export async function complete(argv: readonly string[], deps: CompletionDeps): Promise<number> {
  const late = systemClock.sleep(limits.client.completionMs).then(() => "");
  const answer = await Promise.race([answered(argv, deps), late]).catch(() => "");
  await writeOut(answer).catch(() => false);
  return 0;
}

async function answered([shell, ...args]: readonly string[], deps: CompletionDeps): Promise<string> {
  if (shell !== "bash") {
    const current = args.at(-1) ?? "";
    // fish passes the word under the cursor with its quotes.
    const typed = shell === "fish" ? typedIn(current).current : current;
    return shown(await offered(args.slice(0, -1), typed, deps));
  }
  const { before, current, kept, quote, isRedirect } = typedIn(args[1] ?? "", args[0]);
  if (isRedirect) return shown({ kind: "files" });
  const offer = await offered(before.slice(1), current, deps);
  if (offer.kind !== "words") return shown(offer);
  const words = offer.words.flatMap(({ word }) => bashWord(word.slice(kept.length), quote) ?? []);
  return shown({ kind: "words", words: words.map((word) => ({ word })) });
}

function offered(before: readonly string[], current: string, deps: CompletionDeps): Promise<Offer> {
  const live = async (names: Named): Promise<readonly Word[]> => {
    const { flags } = readFlags(before, globalFlags, { isPartial: true });
    const globals = flags as Globals;
    const paths = pathsOf(readEnv(), globals.home);
    if (names !== "preset") return named(names, { globals, deps, paths });
    const presets = await deps.presets(process.cwd(), paths);
    return presets.map(({ name, file }) => ({ word: name, about: file }));
  };
  const hosts = async () => {
    // The flag whose value is at the cursor has none yet.
    const { flags } = readFlags(before.at(-1) === "--host" ? before.slice(0, -1) : before, globalFlags, {
      isPartial: true,
    });
    const found = await deps.hosts(pathsOf(readEnv(), (flags as Globals).home));
    return Object.entries(found).map(([name, { ssh }]) => ({ word: name, about: ssh }));
  };
  return offerFor(before, current, { tree: treeOf(deps.index), live, hosts });
}

/** The names on the host of the command, or on this machine. */
async function named(
  names: Named,
  context: { globals: Globals; deps: CompletionDeps; paths: Paths },
): Promise<readonly Word[]> {
  const { session } = await sessionOn(await hostOf(context), context);
  const words = await listed(names, context.deps.index, session);
  session.close();
  return words;
}

function shown(offer: Offer): string {
  const lines = offer.kind === "words" ? offer.words : [];
  const about = lines.map(({ word, about }) =>
    about ? `${word}\t${cell(about, limits.client.completionColumns)}` : word,
  );
  return `${[offer.kind, ...about].join("\n")}\n`;
}
