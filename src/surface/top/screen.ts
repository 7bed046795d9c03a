/**
 * Draws pictures on a terminal. While the terminal takes one frame, newer pictures replace each other, so a slow one never
 * has more than one frame behind it. Leaving gives the terminal back as it was.
 */
import type { Clock } from "../../base/clock.ts";
import { limits } from "../../base/limits.ts";
import type { Terminal } from "../../base/terminal.ts";
import { difference, enterScreen, type Frame, frameOf, leaveScreen } from "./frame.ts";
import type { Picture } from "./render.ts";

export interface Screen {
  enter(): void;
  /** `picture` is called when the terminal is ready for it. */
  draw(picture: () => Picture): void;
  /** Resolves when the terminal is restored, or after `limits.top.restoreMs` if it takes no more output. */
  leave(): Promise<void>;
}

export function openScreen(
  terminal: Pick<Terminal, "write" | "setRaw" | "size">,
  options: { color: boolean; clock: Clock; gone(): void },
): Screen {
  let shown: Frame | undefined;
  let shownColumns = 0;
  let waiting: (() => Picture) | undefined;
  let writing: Promise<void> | undefined;
  let isEntered = false;

  const write = (s: string) => {
    writing = terminal
      .write(s)
      .catch(options.gone)
      .finally(() => {
        writing = undefined;
        step();
      });
  };

  const step = () => {
    if (writing || !waiting || !isEntered) return;
    const { columns } = terminal.size();
    if (columns !== shownColumns) shown = undefined;
    shownColumns = columns;
    const next = frameOf(waiting(), columns, options.color, shown);
    waiting = undefined;
    const bytes = difference(shown, next);
    shown = next;
    if (bytes !== "") write(bytes);
  };

  return {
    enter() {
      isEntered = true;
      shown = undefined;
      terminal.setRaw(true);
      const before = writing ?? Promise.resolve();
      writing = before
        .then(() => terminal.write(enterScreen))
        .catch(options.gone)
        .finally(() => {
          writing = undefined;
          step();
        });
    },
    draw(picture) {
      waiting = picture;
      step();
    },
    async leave() {
      if (!isEntered) return;
      isEntered = false;
      waiting = undefined;
      const restored = (writing ?? Promise.resolve()).then(() => terminal.write(leaveScreen)).catch(() => {});
      await Promise.race([restored, options.clock.sleep(limits.top.restoreMs)]);
      try {
        terminal.setRaw(false);
      } catch {
        // The terminal is gone: nothing is left to restore.
      }
    },
  };
}
