/** What a patch does to one file. */

export const changeKinds = ["add", "delete", "update", "move"] as const;
export type ChangeKind = (typeof changeKinds)[number];

export interface FileChange {
  /** As Codex writes it: absolute, in every version seen. */
  path: string;
  kind: ChangeKind;
  /** Of a move: the new path. */
  to: string | null;
  /** Unified, with headers; `/dev/null` on the side where there is no file. */
  diff: string;
}
