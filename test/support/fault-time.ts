import { type HandClock, handClock } from "./codex-clock.ts";

/** A hand clock under which what is scheduled, and what follows from that, is done before and after each move. */
export function patientClock(): HandClock {
  const clock = handClock();
  return {
    ...clock,
    async advance(ms) {
      await breathe();
      await clock.advance(ms);
      await breathe();
    },
  };
}

async function breathe(): Promise<void> {
  for (let turn = 0; turn < 100; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
}
