/**
 * A command line as its words, where that is sure: every rule about commands stands on it. Whatever a shell could make
 * of a line other than running these very words is no reading at all.
 */

/** Undefined: it cannot be read surely. */
export function parseCommand(line: string): string[] | undefined {
  if (odd.test(line)) return undefined;
  const outer = spelled(line);
  if (!outer) return undefined;
  const [shell, flag, script] = outer;
  const isWrapped = outer.length === 3 && shells.has(shell!) && (flag === "-lc" || flag === "-c");
  return typed(isWrapped ? script! : line);
}

/** Does it begin with these words? A part of a word is none. */
export function beginsWith(words: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length > 0 && prefix.every((word, at) => words[at] === word);
}

/** Does the first of these words make another of them the command? Then only a no, or a doubt, may follow from them. */
export function runsAnother([first, ...rest]: readonly string[]): boolean {
  const name = nameOf(first ?? "");
  return runners.has(name) || (name === "find" && rest.some((word) => /^-(exec|ok)/.test(word)));
}

/**
 * As `beginsWith`, but a command is the same one by its path, by its name, and as the file that git and docker keep for a
 * subcommand (`git-push`); and its options, each with a value or without, may stand between the words. An option of the
 * prefix may stand anywhere behind the words before it.
 */
export function mayBeginWith(
  [first, ...rest]: readonly string[],
  [named, ...prefix]: readonly string[],
): boolean {
  const [name, wanted] = [nameOf(first ?? ""), nameOf(named ?? "")];
  if (wanted === "") return false;
  if (name === wanted) return mayFollow(rest, prefix);
  return name.startsWith(`${wanted}-`) && mayFollow([name.slice(wanted.length + 1), ...rest], prefix);
}

function mayFollow(words: readonly string[], [next, ...prefix]: readonly string[]): boolean {
  if (next === undefined) return true;
  if (letters.test(next)) return hasLetters(words, next) && mayFollow(words, prefix);
  for (const [at, word] of words.entries()) {
    const isIt = word === next || (isOption(next) && word.startsWith(`${next}=`));
    if (isIt && mayFollow(words.slice(at + 1), prefix)) return true;
    const isBehindOption = at > 0 && isOption(words[at - 1]!);
    // No option and no option's value: what follows belongs to another subcommand.
    if (!isOption(next) && !isOption(word) && !isBehindOption) return false;
  }
  return false;
}

/** Options of one letter may stand together or apart, in any order: `-rf`, `-fr`, `-r -f`. */
const letters = /^-[A-Za-z]+$/;

function hasLetters(words: readonly string[], option: string): boolean {
  const given = words.filter((word) => letters.test(word)).join("");
  return [...option.slice(1)].every((letter) => given.includes(letter));
}

/** `+nightly` of cargo is one, too. */
function isOption(word: string): boolean {
  return word.startsWith("-") || word.startsWith("+");
}

/** The name of a file is the same in capitals where the file system says so. */
function nameOf(word: string): string {
  return word.slice(word.lastIndexOf("/") + 1).toLowerCase();
}

/** Reserved words, builtins and programs that run what follows them, and the shells. */
const runners: ReadonlySet<string> = new Set(
  [
    "- . and begin builtin case command coproc do elif else eval exec for function if nocorrect noglob not or",
    "select source then time trap until while",
    "ash bash csh dash fish ksh mksh nu pwsh rbash sh tcsh zsh",
    "arch busybox caffeinate catchsegv chroot chrt doas env fakeroot firejail flock gdb ionice linux32 linux64 ltrace",
    "nice nocache nohup nsenter numactl parallel pkexec prlimit proot rlwrap runuser script setarch setpriv setsid",
    "stdbuf strace su sudo systemd-run taskset timeout toybox unbuffer unshare valgrind watch xargs xvfb-run",
  ].flatMap((line) => line.split(" ")),
);

/** Control characters, newlines, and spaces that look like one and are none. */
const odd = /[^\P{C}]|[^\P{Z} ]/u;

/** What Codex puts around a command, where it is a shell's own place: `/tmp/bash` may be anything. */
const shells: ReadonlySet<string> = new Set(
  ["", "/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/", "/run/current-system/sw/bin/"].flatMap(
    (folder) => ["bash", "zsh", "sh"].map((shell) => folder + shell),
  ),
);

/** How Codex writes argv as one line (measured): POSIX quoting, so that taking the quotes off is exact. */
function spelled(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (char === " ") {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= "";
    if (char === "'") {
      const end = line.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word += line.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      for (at++; line[at] !== '"'; at++) {
        if (line[at] === undefined) return undefined;
        if (line[at] === "\\" && '$`"\\'.includes(line[at + 1] ?? " ")) at++;
        word += line[at]!;
      }
    } else if (char === "\\") {
      if (++at === line.length) return undefined;
      word += line[at]!;
    } else word += char;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Chains, pipes, redirections, substitutions, expansions and escapes, wherever they stand: also inside quotes. */
const joins = /[;&|$`<>()\\]/;
/** What a shell expands where no quotes keep it from that, takes for a comment, or for a negation. */
const expands = /[*?[\]{}]|(^|[ =:])[~!#]/;

/** What a shell would make of the line, if that is its words and nothing else. */
function typed(line: string): string[] | undefined {
  if (joins.test(line)) return undefined;
  const bare = line.replace(/'[^']*'|"[^"]*"/g, "");
  if (/['"]/.test(bare) || expands.test(bare)) return undefined;
  const words = spelled(line);
  // `A=1 git push` runs git, in an environment of its own.
  return words?.[0] === undefined || words[0].includes("=") ? undefined : words;
}
