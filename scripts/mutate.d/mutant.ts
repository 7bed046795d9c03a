/** A removed guard of core, which the tests must notice. */
export interface Mutant {
  file: string;
  /** Occurs exactly once in the file. */
  from: string;
  to: string;
  /** What goes wrong without the guard. */
  what: string;
  /** Test files to run first, from `test/`; without them, the test that mirrors the file. */
  tests?: readonly string[];
}
