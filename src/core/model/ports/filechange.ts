/** What a patch does to one file. */
import type { ChangeKind } from "../../../contract/words.ts";

export interface FileChange {
  /** As Codex writes it: absolute, in every version seen. */
  path: string;
  kind: ChangeKind;
  /** The new path of a move. */
  to: string | null;
  /** Unified, with headers; `/dev/null` on the side where there is no file. */
  diff: string;
}
