/** The two managers of services: where each keeps a user's services, and its commands. */
import { homedir } from "node:os";
import { join } from "node:path";
import { DispatchError, fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Paths } from "../../base/paths.ts";
import { ownUid, quoted } from "../../base/privacy.ts";
import { type Env, type RunResult, run } from "../../base/spawn.ts";
import { label, plistText } from "./plist.ts";
import type { Recorded } from "./record.ts";
import { unitName, unitText } from "./unit.ts";

export interface Manager {
  name: "systemd" | "launchd";
  /** Its file. */
  file: string;
  text(recorded: Recorded, paths: Paths): string;
  /** Its program is on PATH. */
  isHere(): boolean;
  /** The user's part of it cannot be reached: throws `not_found`. */
  check(): Promise<void>;
  /** Makes it read its file and start the service with each login. */
  enable: readonly (readonly string[])[];
  /** Starts it now. */
  start: readonly (readonly string[])[];
  /** It forgets the service. The file is removed after these. */
  disable: readonly (readonly string[])[];
  /** After the file is removed. */
  forget: readonly (readonly string[])[];
  /** Whether it starts with each login, and the process that runs. */
  state(): Promise<{ enabled: boolean; pid: number | null }>;
}

/** Throws `not_found` on a system that has neither. */
export function managerOf(platform: string, env: Env): Manager {
  if (platform === "linux") return systemd(env);
  if (platform === "darwin") return launchd(env);
  return fail("not_found", `dispatch knows no manager of services on ${platform}`, { hint: byHand });
}

const byHand = "start it by a manager of your own: dispatchd --foreground";

function systemd(env: Env): Manager {
  const folder = env["XDG_CONFIG_HOME"] || join(env["HOME"] || homedir(), ".config");
  const isHere = () => isOnPath("systemctl", env);
  const systemctl = (...args: string[]) => ["systemctl", "--user", ...args];
  return {
    name: "systemd",
    file: join(folder, "systemd/user", unitName),
    text: (recorded) => unitText(recorded),
    isHere,
    async check() {
      if (!isHere())
        fail("not_found", "systemd is not there: no executable `systemctl` on PATH", { hint: byHand });
      const asked = await call(systemctl("show", "--property=Version"), env);
      if (asked.code !== 0)
        fail("not_found", `systemd has no manager for this user: ${spoken(asked)}`, {
          hint: "log in with a session of your own (ssh or the desktop, not su), or: sudo loginctl enable-linger $USER",
        });
    },
    enable: [systemctl("daemon-reload"), systemctl("enable", unitName)],
    start: [systemctl("start", unitName)],
    disable: [systemctl("disable", unitName)],
    forget: [systemctl("daemon-reload")],
    async state() {
      const { stdout } = await call(
        systemctl("show", unitName, "--property=MainPID", "--property=UnitFileState"),
        env,
      );
      const pid = Number(/^MainPID=(\d+)$/m.exec(stdout)?.[1] ?? 0);
      return { enabled: /^UnitFileState=enabled$/m.test(stdout), pid: pid === 0 ? null : pid };
    },
  };
}

function launchd(env: Env): Manager {
  const file = join(env["HOME"] || homedir(), "Library/LaunchAgents", `${label}.plist`);
  const domain = `gui/${ownUid()}`;
  const isHere = () => isOnPath("launchctl", env);
  const launchctl = (...args: string[]) => ["launchctl", ...args];
  return {
    name: "launchd",
    file,
    text: (recorded, paths) => plistText(recorded, paths.log),
    isHere,
    async check() {
      if (!isHere())
        fail("not_found", "launchd is not there: no executable `launchctl` on PATH", { hint: byHand });
      const asked = await call(launchctl("print", domain), env);
      if (asked.code !== 0)
        fail("not_found", `launchd has no session for this user: ${spoken(asked)}`, {
          hint: "log in on the desktop of this Mac",
        });
    },
    enable: [launchctl("enable", `${domain}/${label}`)],
    // `RunAtLoad` starts it. What is loaded already is loaded again, with the file of today.
    start: [launchctl("bootout", `${domain}/${label}`), launchctl("bootstrap", domain, file)],
    disable: [launchctl("bootout", `${domain}/${label}`)],
    forget: [],
    async state() {
      const printed = await call(launchctl("print", `${domain}/${label}`), env);
      const pid = /^\s*pid = (\d+)$/m.exec(printed.stdout)?.[1];
      const disabled = await call(launchctl("print-disabled", domain), env);
      const isOff = new RegExp(`"${label}" => (?:true|disabled)`).test(disabled.stdout);
      return { enabled: !isOff, pid: pid === undefined ? null : Number(pid) };
    },
  };
}

function isOnPath(program: string, env: Env): boolean {
  return Bun.which(program, { PATH: env["PATH"] ?? "" }) !== null;
}

/** What a manager answers when the service is gone already. */
const isGone = /not loaded|does not exist|No such process|Could not find service|not-found/;

/** Runs the commands in their order. Throws `agent` at the first that fails. */
export async function runAll(
  commands: readonly (readonly string[])[],
  env: Env,
  options: { mayBeGone?: boolean } = {},
): Promise<void> {
  for (const command of commands) {
    const result = await call(command, env);
    const text = spoken(result);
    if (result.code === 0 || (options.mayBeGone && isGone.test(text))) continue;
    throw new DispatchError("agent", `${lineOf(command)} ended with ${result.code}: ${text}`, {
      hint: lineOf(command),
    });
  }
}

export function lineOf(command: readonly string[]): string {
  return command.map(quoted).join(" ");
}

function call(command: readonly string[], env: Env): Promise<RunResult> {
  return run([...command], {
    timeoutMs: limits.service.commandTimeoutMs,
    bytesMax: limits.service.outputBytesMax,
    env,
  });
}

function spoken({ stderr, stdout, timedOut }: RunResult): string {
  if (timedOut) return "it did not end in time";
  const text = `${stderr}\n${stdout}`.replace(/\s+/g, " ").trim();
  return text.slice(0, limits.service.refusalCharsMax);
}
