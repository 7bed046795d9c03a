/** One guard of core, taken out: what the tests have to notice. */
export interface Mutant {
  file: string;
  /** Stands exactly once in the file. */
  from: string;
  to: string;
  /** What goes wrong without the guard. */
  what: string;
  /** Test files to run first, from `test/`; without them, the test that mirrors the file. */
  tests?: readonly string[];
}
