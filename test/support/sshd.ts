/**
 * Another machine, played by this one: a private sshd on loopback with keys of its own. What it starts has the
 * DISPATCH_HOME of the other machine, by `command` in the configuration or by the environment of sshd.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { version } from "../../src/base/version.ts";
import { index } from "../../src/ops/index.ts";
import { dialLine } from "../../src/surface/remote/dialline.ts";
import { binary } from "./dispatch.ts";

const sshd = ["/usr/sbin/sshd", "/usr/local/sbin/sshd"].find(existsSync);

/** Why there is no other machine here. Undefined when there is one. */
export const noSshd: string | undefined =
  sshd === undefined
    ? "no sshd: apt-get install openssh-server"
    : userInfo().uid === 0 && !existsSync("/run/sshd")
      ? "sshd as root needs the directory /run/sshd"
      : undefined;

export interface Box {
  port: number;
  /** For DISPATCH_SSH: ssh with the configuration of the test: the box is `box`, and `stranger` has a wrong key. */
  ssh: string;
  /** More of ssh's configuration. */
  configure(text: string): void;
  /** Connections are shared from now on, by sockets in this folder, whose path must be short. */
  share(sockets: string): void;
  /** The processes of ssh that this test's clients run now. */
  clients(): number[];
  /** Log-ins so far. */
  logins(): number;
  /** The processes on the box that have passed a call on to its daemon. */
  connected(): number[];
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** `folder` is the test's own, and gets all the files. `environment`: what sshd sets in each session. */
export async function startBox(folder: string, environment: Record<string, string> = {}): Promise<Box> {
  const at = join(folder, "ssh");
  mkdirSync(at, { recursive: true, mode: 0o700 });
  for (const key of ["host", "user", "stranger"]) keygen(join(at, key));
  const port = await freePort();
  const user = Bun.spawnSync(["id", "-un"]).stdout.toString().trim();
  writeFileSync(join(at, "authorized_keys"), readFileSync(join(at, "user.pub")));
  const hostKey = readFileSync(join(at, "host.pub"), "utf8");
  writeFileSync(join(at, "known_hosts"), `[127.0.0.1]:${port} ${hostKey}`);
  writeFileSync(join(at, "known_none"), "");
  const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  writeFileSync(
    join(at, "sshd_config"),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${at}/host
PidFile ${at}/sshd.pid
AuthorizedKeysFile ${at}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PrintMotd no
MaxStartups 100
${set.length > 0 ? `SetEnv ${set.join(" ")}` : ""}
`,
  );
  const config = join(at, "config");
  const known = `Host * !stranger
  IdentityFile ${at}/user
Host stranger
  IdentityFile ${at}/stranger
Host *
  User ${user}
  IdentitiesOnly yes
  UserKnownHostsFile ${at}/known_hosts
  GlobalKnownHostsFile /dev/null
Host box
  HostName 127.0.0.1
  Port ${port}
`;
  writeFileSync(config, known);
  // ssh takes the first value that it finds.
  const configure = (text: string) => writeFileSync(config, `${text}\n${known}`);
  const shared: string[] = [];
  const ssh = join(at, "ssh.sh");
  writeFileSync(ssh, `#!/bin/sh\nexec ssh -F ${config} "$@"\n`);
  chmodSync(ssh, 0o700);

  let server: Bun.Subprocess | undefined;
  const start = async () => {
    const child = Bun.spawn([sshd!, "-D", "-e", "-f", join(at, "sshd_config")], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: Bun.file(join(at, "sshd.log")),
      env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    });
    server = child;
    await listening(port, child, join(at, "sshd.log"));
  };
  await start();
  return {
    port,
    ssh,
    configure,
    share(sockets) {
      shared.push(`${sockets}/cm-`);
      configure(`Host box\n  ControlMaster auto\n  ControlPath ${sockets}/cm-%C\n  ControlPersist 60\n`);
    },
    logins: () => readFileSync(join(at, "sshd.log"), "latin1").split("Accepted publickey").length - 1,
    clients: () => processesWith([`-F\0${config}\0`, "dial-stdio"]),
    connected: () => processesWith([`${binary}\0dial-stdio`]).filter((pid) => writtenBy(pid) > firstBytes),
    start,
    async stop() {
      server?.kill("SIGKILL");
      await server?.exited;
      // A process that holds a shared connection has only its socket in its title.
      const lines = [[`-F\0${config}\0`], ...shared.map((socket) => [`ssh: ${socket}`])];
      for (const pid of lines.flatMap(processesWith)) kill(pid);
    },
  };
}

/** The line that dial-stdio writes first, and less than the answer to hello, which came with the call. */
const firstBytes =
  dialLine({ version, schemas: Object.fromEntries(index.map(({ name, hash }) => [name, hash])) }).length + 30;

function writtenBy(pid: number): number {
  try {
    return Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Processes of this user whose command line has all these words. */
function processesWith(words: readonly string[]): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid)
    .filter((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "latin1");
        return words.every((word) => line.includes(word));
      } catch {
        return false;
      }
    });
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile.
  }
}

function keygen(path: string): void {
  const made = Bun.spawnSync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", path]);
  if (!made.success) throw new Error(`ssh-keygen: ${made.stderr}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

async function listening(port: number, child: Bun.Subprocess, log: string): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await Bun.sleep(10)) {
    if (child.exitCode !== null) break;
    const isUp = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } }).then(
      (socket) => {
        socket.end();
        return true;
      },
      () => false,
    );
    if (isUp) return;
  }
  throw new Error(`sshd does not listen: ${readFileSync(log, "utf8")}`);
}
