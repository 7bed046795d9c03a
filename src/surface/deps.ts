/** What `main` passes to a surface, because a surface may not import it. */
import type { Paths } from "../base/paths.ts";
import type { Check, Plugin, Registry, Service } from "../ops/ctx.ts";
import type { IndexRow } from "../ops/op.ts";
import type { Caller } from "../ops/protocol.ts";
import type { Listings } from "./mcp/listing.ts";
import type { Hosts } from "./remote/hosts.ts";
import type { Answer } from "./wire.ts";

export interface DoctorInput {
  app_server: boolean;
  fix: boolean;
  timeoutMs: number;
}

/** Whether the caller may use a host. */
export interface HostQuestion {
  caller: Caller;
  host: string;
  isRead: boolean;
  paths: Paths;
  /** 0 when no daemon runs. */
  daemonPid: number;
}

/** What only commands for other machines need. */
export interface FarDeps {
  /** `[hosts]` of config.toml. Read only when a command names a host. */
  hosts(paths: Paths): Promise<Hosts>;
  /** The thread of the agent that runs this program, as far as it can be known without a daemon. Throws `denied`. */
  agentHere(question: HostQuestion): Promise<string | null>;
}

export interface SurfaceDeps extends FarDeps {
  index: readonly IndexRow[];
  /** The listings of the MCP tools, made at build time. */
  tools(): Promise<Listings>;
  /** The daemon's answer to this command, if `quick` has sent it already. */
  answer?: Promise<Answer>;
  /** The command line that starts the daemon. */
  daemonArgv: readonly string[];
  /** The environment variables that the configuration passes to the daemon, besides the usual ones. */
  daemonVariables(paths: Paths): Promise<readonly string[]>;
  /** Runs Codex in this terminal. Returns its exit status. */
  codex(args: readonly string[]): Promise<number>;
  doctor(paths: Paths, input: DoctorInput): Promise<Check[]>;
  /** Shows a file by the system's own program for it. */
  show(path: string): Promise<void>;
  registry(paths: Paths): Promise<Registry>;
  plugin(paths: Paths): Promise<Plugin>;
  service(paths: Paths): Promise<Service>;
}
