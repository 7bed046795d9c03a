/** The unit of systemd, for the manager of one user. */
import { limits } from "../../base/limits.ts";
import { noteOf, type Recorded } from "./record.ts";

export const unitName = "dispatch.service";

/** Exit 3 of the daemon: another one runs for this home, so a restart cannot help. */
export function unitText(recorded: Recorded): string {
  const stopSeconds = Math.ceil((limits.daemon.shutdownGraceMs * 2) / 1000);
  return `# Written by dispatch service install. dispatch service remove removes it.
# ${noteOf(recorded)}
[Unit]
Description=dispatch, the control plane for Codex agent threads
Documentation=man:dispatchd(1)
StartLimitIntervalSec=60
StartLimitBurst=5

[Service]
Type=exec
ExecStart=${recorded.program.map(word).join(" ")}
${Object.entries(recorded.env)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`)
  .join("\n")}
WorkingDirectory=/
UMask=0077
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=3
KillMode=mixed
TimeoutStopSec=${stopSeconds}

[Install]
WantedBy=default.target
`;
}

/** A word of a command line: there `$` begins a variable. */
function word(text: string): string {
  return quoted(text).replaceAll("$", "$$$$");
}

/** `%` begins a specifier everywhere. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}
