/**
 * Keeps what says why Codex ends, from all that it prints besides its protocol. All of it is read all the time (16 MB of
 * stderr in 8 s were seen); most is dropped.
 */
import { limits } from "../base/limits.ts";
import { textOf } from "../base/lines.ts";

/** What a program prints as its reason: `Error: ...`, `codex: error while loading ...: ...`, `fatal: ...`, a panic. */
const causes = /^(?:\S+: )?(?:\w*error|fatal|panic)\b[^:]*:(?: |$)|^thread '.* panicked at /i;

/** Whether a line without colours says why a program ends. */
export const isCause = (line: string): boolean => causes.test(line);

interface Stream {
  push(text: string): void;
  /** The newest line that is a reason, with the lines after it, which often say more. Empty when there is none. */
  cause(): string[];
  last(): string[];
}

export interface Printed {
  stderr(text: string): void;
  /** A line of stdout that is not of the protocol. */
  stdout(line: Uint8Array): void;
  /** `words`, and after them in one line the lines that say why, otherwise the last ones. */
  explain(words: string): string;
}

/** `now` is monotonic, in ms: what Codex survived for long is not why it ended. */
export function printed(now: () => number): Printed {
  const [stderr, stdout] = [stream(now), stream(now)];
  return {
    stderr: stderr.push,
    stdout(line) {
      const text = textOf(line.subarray(0, limits.process.printedLineMax));
      // A message of the protocol that something else was printed into: it may hold what a user wrote.
      if (!/"(?:method|id|params|result)"\s*:/.test(text)) stdout.push(`${text}\n`);
    },
    explain(words) {
      const reason = reasonIn([stderr, stdout]);
      return reason === "" ? words : `${words}: ${reason}`;
    },
  };
}

/** The reason of a command that has ended. "" when it printed nothing. */
export function reasonOf(output: { stdout: string; stderr: string }): string {
  return reasonIn(
    [output.stderr, output.stdout].map((text) => {
      const ended = stream(() => 0);
      ended.push(text);
      return ended;
    }),
  );
}

function reasonIn(streams: readonly Stream[]): string {
  const { printedCharsMax } = limits.process;
  const cause = streams.flatMap((one) => one.cause()).join(" | ");
  // The beginning of a reason says most, and the end of all else.
  if (cause !== "") return cause.slice(0, printedCharsMax);
  const last = streams.flatMap((one) => one.last()).join(" | ");
  return last.slice(-printedCharsMax);
}

function stream(now: () => number): Stream {
  const { printedLinesMax, printedLineMax, causeMaxMs } = limits.process;
  let unfinished = "";
  let cause: string[] = [];
  let causeAt = 0;
  let isExplained = false;
  let last: string[] = [];

  const add = (raw: string) => {
    const line = plainLine(raw.slice(0, printedLineMax));
    if (line === "") return;
    if (isCause(line)) {
      cause = [line];
      causeAt = now();
      isExplained = true;
    } else if (/^stack backtrace:/i.test(line)) isExplained = false;
    else if (isExplained && cause.length < printedLinesMax) cause.push(line);
    last = [...last, line].slice(-printedLinesMax);
  };

  const finish = () => {
    add(unfinished);
    unfinished = "";
  };

  return {
    push(text) {
      const lines = (unfinished + text).split(/[\r\n]+/);
      unfinished = lines.pop()!.slice(0, printedLineMax);
      for (const line of lines) add(line);
    },
    cause() {
      finish();
      return now() - causeAt <= causeMaxMs ? cause : [];
    },
    last() {
      finish();
      return last;
    },
  };
}

/** Without colours and control characters. */
function plainLine(raw: string): string {
  return raw
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, "")
    .replace(/[\x00-\x1f\x7f-\x9f]+/g, " ")
    .trim();
}
