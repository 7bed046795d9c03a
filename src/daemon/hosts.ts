/** The schema of `[hosts.NAME]`, and its reader for clients: a mistake elsewhere in the file does not matter to them. */
import * as v from "valibot";
import { isHostName } from "../base/hostref.ts";
import { isDestination } from "../base/sshaddress.ts";
import { readToml } from "./toml.ts";

export const hostsField = v.optional(
  v.record(
    v.pipe(
      v.string(),
      v.check(isHostName, "the name of a host has letters, digits, dots, - and _, and begins with no sign"),
    ),
    v.strictObject({
      /** What ssh connects to: an alias of ~/.ssh/config, `user@box`, or `ssh://user@box:port`. */
      ssh: v.pipe(v.string(), v.check(isDestination, "must be what ssh connects to, such as user@box")),
      /** How the shell there starts dispatch. */
      command: v.optional(v.pipe(v.string(), v.nonEmpty()), "dispatch"),
    }),
  ),
  {},
);

const hostsOnly = v.object({ hosts: hostsField });

export type Hosts = v.InferOutput<typeof hostsField>;

/** Throws `usage` with file and line. */
export function readHosts(path: string): Hosts {
  return readToml(path, hostsOnly).hosts;
}
