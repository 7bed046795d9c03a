/** The other machines: those of `[hosts]` in config.toml, and addresses that a command names. */
import { fail } from "../../base/error.ts";
import { nearest } from "../../base/nearest.ts";
import { isAddress } from "../../base/sshaddress.ts";

/** `[hosts]` of config.toml, by name. */
export type Hosts = Readonly<Record<string, { ssh: string; command: string }>>;

export interface RemoteHost {
  /** As the command names it. */
  name: string;
  /** What ssh connects to. */
  destination: string;
  /** How the shell there starts dispatch. */
  command: string;
}

/** Throws `usage` for what is no address, and `not_found` for a name that is not configured. */
export function hostNamed(name: string, hosts: Hosts): RemoteHost {
  if (Object.hasOwn(hosts, name)) {
    const { ssh, command } = hosts[name]!;
    return { name, destination: ssh, command };
  }
  if (isAddress(name)) return { name, destination: name, command: "dispatch" };
  if (name.includes("://") || name.startsWith("-") || name === "")
    return fail("usage", `${JSON.stringify(name)} is not the address of a host`, {
      hint: "dispatch --host ssh://[user@]box[:port] list",
    });
  return fail("not_found", `no host is called ${JSON.stringify(name)}`, { hint: hintFor(name, hosts) });
}

export function hostsNamed(hosts: Hosts): RemoteHost[] {
  return Object.keys(hosts).map((name) => hostNamed(name, hosts));
}

function hintFor(name: string, hosts: Hosts): string {
  const known = Object.keys(hosts);
  const right = nearest(name, known);
  if (right !== undefined) return `did you mean ${right}? The hosts: ${known.join(", ")}`;
  const add = "or add [hosts.NAME] to config.toml, or use --host ssh://[user@]box[:port]";
  return known.length > 0 ? `the hosts: ${known.join(", ")}; ${add}` : add.replace(/^or /, "");
}
