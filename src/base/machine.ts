/** The name of this machine. */
import { hostname } from "node:os";

export function machineName(): string {
  return hostname().split(".")[0] || "machine";
}
