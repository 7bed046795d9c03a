export interface Core {
  readonly kind: "core";
}
