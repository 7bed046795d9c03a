/** What a row of the table is, and what it is measured in. */

export interface Line {
  /** `1.31 x`, `4,210/s`. */
  figure: string;
  bar: string;
  isMet: boolean;
  what: string;
}

export interface Measured {
  lines: Line[];
  /** What each side includes, and the figures behind the ratio. */
  notes: string[];
}

export interface Row {
  measure(bench: Bench): Promise<Measured>;
}

/** One run of the benchmark: its own folder, its own builds, and what it has to end. */
export interface Bench {
  /** Inside the checkout, so that a commit reaches the disk that a registry would stand on. */
  folder: string;
  /** `dispatch`, and `dispatchd` beside it: built from this source with the flags of scripts/build. */
  dispatch: string;
  dispatchd: string;
  /** The floors: programs that do nothing, built with the same flags. */
  empty: string;
  idle: string;
  /** Ended in reverse order, whatever becomes of the rows. */
  owns(end: () => Promise<void> | void): void;
}

export function atMost(what: string, value: number, most: number, unit: string, digits = 2): Line {
  return {
    what,
    figure: `${value.toFixed(digits)} ${unit}`,
    bar: `<= ${most} ${unit}`,
    isMet: value <= most,
  };
}

export function atLeast(what: string, perSecond: number, least: number): Line {
  const round = (n: number) => Math.round(n).toLocaleString("en-US");
  return {
    what,
    figure: `${round(perSecond)} /s`,
    bar: `>= ${round(least)} /s`,
    isMet: perSecond >= least,
  };
}
