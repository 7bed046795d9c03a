/**
 * Reads a command line as words. Every rule about commands relies on it, so a line that a shell could read in another
 * way is not read at all.
 */

/** The words of the command. Undefined: they are not certain. */
export function parseCommand(line: string): string[] | undefined {
  if (odd.test(line)) return undefined;
  const outer = unquote(line);
  if (!outer) return undefined;
  const [shell, flag, script] = outer;
  const isWrapped = outer.length === 3 && shells.has(shell!) && (flag === "-lc" || flag === "-c");
  return shellWords(isWrapped ? script! : line);
}

/** Whether the command begins with these words. A part of a word does not match. */
export function beginsWith(words: readonly string[], prefix: readonly string[]): boolean {
  return prefix.length > 0 && prefix.every((word, at) => words[at] === word);
}

/**
 * Whether the first word runs another of the words as the command. Then a match may deny or leave a doubt, but not
 * approve.
 */
export function runsAnother([first, ...rest]: readonly string[]): boolean {
  const name = nameOf(first ?? "");
  return runners.has(name) || (name === "find" && rest.some((word) => /^-(exec|ok)/.test(word)));
}

/**
 * Like `beginsWith`, but wider. A command is the same by its path, by its name, and as the file that git and docker
 * keep for a subcommand (`git-push`). Options, with or without a value, may be between the words. An option of the
 * prefix may be anywhere behind the words before it.
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
    // Neither an option nor its value: what follows belongs to another subcommand.
    if (!isOption(next) && !isOption(word) && !isBehindOption) return false;
  }
  return false;
}

/** Options of one letter may be joined or separate, in any order: `-rf`, `-fr`, `-r -f`. */
const letters = /^-[A-Za-z]+$/;

function hasLetters(words: readonly string[], option: string): boolean {
  const given = words.filter((word) => letters.test(word)).join("");
  return [...option.slice(1)].every((letter) => given.includes(letter));
}

/** Cargo's `+nightly` counts as an option. */
function isOption(word: string): boolean {
  return word.startsWith("-") || word.startsWith("+");
}

/** In lower case, since some file systems ignore the case of names. */
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
  ]
    .join(" ")
    .split(" "),
);

/** Control characters, newlines, and characters that look like a space and are none. */
const odd = /[^\P{C}]|[^\P{Z} ]/u;

/** The shells that Codex wraps a command in, at their usual paths only: `/tmp/bash` may be any program. */
const shells: ReadonlySet<string> = new Set(
  ["", "/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/", "/run/current-system/sw/bin/"].flatMap(
    (folder) => ["bash", "zsh", "sh"].map((shell) => folder + shell),
  ),
);

/** Codex writes argv as one line in POSIX quoting (facts F43), so that removing the quotes is exact. */
function unquote(line: string): string[] | undefined {
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

/** Chains, pipes, redirections, substitutions, expansions and escapes, also inside quotes. */
const joins = /[;&|$`<>()\\]/;
/** What a shell expands outside quotes, or reads as a comment or a negation. */
const expands = /[*?[\]{}]|(^|[ =:])[~!#]/;

/** The words of a line, if a shell would run exactly these words. */
function shellWords(line: string): string[] | undefined {
  if (joins.test(line)) return undefined;
  const bare = line.replace(/'[^']*'|"[^"]*"/g, "");
  if (/['"]/.test(bare) || expands.test(bare)) return undefined;
  const words = unquote(line);
  // `A=1 git push` runs git, in an environment of its own.
  return words?.[0] === undefined || words[0].includes("=") ? undefined : words;
}
