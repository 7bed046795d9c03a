/** Placeholder types until the renderer lands; see Look. */
export interface Look {
  width: number;
  now: number;
}
