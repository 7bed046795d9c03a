/** The relay in the daemon's status. */
import * as v from "valibot";
import { cell, paint } from "../base/text.ts";
import { relayStates } from "../contract/words.ts";
import type { Core } from "../core/core.ts";

export const relayObject = v.object({
  state: v.picklist(relayStates),
  /** Of this machine. */
  name: v.string(),
  servers: v.array(v.string()),
  /** Messages for this machine that it has not taken yet; null: not known. */
  waiting: v.nullable(v.number()),
});

export function relayOf(core: Pick<Core, "relay">): v.InferOutput<typeof relayObject> | null {
  const found = core.relay();
  if (!found) return null;
  const { state, name, servers, waiting } = found;
  return { state, name, servers: [...servers], waiting };
}

export function relayFault(core: Pick<Core, "relay">): { code: string; message: string; hint: string }[] {
  const error = core.relay()?.error;
  return error ? [{ ...error, hint: error.hint ?? "dispatch doctor" }] : [];
}

export function relayRow(relay: v.InferOutput<typeof relayObject> | null | undefined): [string, string][] {
  if (!relay) return [];
  const { state, name, servers, waiting } = relay;
  const word = state === "up" ? paint("green", state) : paint("yellow", state);
  return [
    [
      "relay",
      `${word}, as ${cell(name)} at ${cell(servers.join(", "))}${waiting ? `, ${waiting} to take` : ""}`,
    ],
  ];
}
