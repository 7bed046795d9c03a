/** Where a check runs the program: this system, as another user, or inside another root file system. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/** `nobody` of every Linux. */
export const nobody = 65534;

export interface Place {
  /** For reports. */
  name: string;
  /** The root file system; "/" is this one. */
  root: string;
  uid: number;
}

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

const commandMs = 60_000;

/** A place with what it needs to run programs. */
export interface Opened {
  /** Runs a line of shell in `cwd`. `env` is all of the environment, and `cwd` and all paths are those inside. */
  run(line: string, options: { env: Record<string, string>; cwd: string }): Promise<Ran>;
  close(): Promise<void>;
}

/**
 * Another root file system gets one mount namespace for all of its commands: dispatch takes a command of another one
 * for a sandboxed one.
 */
export async function opened(place: Place): Promise<Opened> {
  const { root, uid } = place;
  if (root === "/") {
    const own = process.getuid?.() === uid;
    const user = own ? [] : ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    return {
      run: (line, options) => spawned([...user, ...shell(line, options.cwd)], options.env),
      async close() {},
    };
  }
  for (const folder of ["proc", "dev", "tmp"]) mkdirSync(join(root, folder), { recursive: true });
  const holder = Bun.spawn(
    [
      ...["unshare", "--mount", "--propagation", "private", "sh", "-c"],
      `mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && echo ready && exec cat`,
      ...["sh", root],
    ],
    { stdin: "pipe", stdout: "pipe", stderr: "inherit" },
  );
  const { value } = await holder.stdout.getReader().read();
  if (!new TextDecoder().decode(value).startsWith("ready")) throw new Error(`cannot mount below ${root}`);
  // Often in a folder that only root has on PATH.
  const chroot = Bun.which("chroot", { PATH: "/usr/sbin:/sbin:/usr/bin:/bin" }) ?? "chroot";
  const enter = ["nsenter", `--target=${holder.pid}`, "--mount", chroot, `--userspec=${uid}:${uid}`, root];
  return {
    run: (line, options) => spawned([...enter, ...shell(line, options.cwd)], options.env),
    async close() {
      holder.stdin.end();
      await holder.exited;
    },
  };
}

async function spawned(command: string[], env: Record<string, string>): Promise<Ran> {
  const child = Bun.spawn(command, {
    env,
    cwd: "/",
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: commandMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { code: child.signalCode === null ? code : null, stdout, stderr };
}

function shell(line: string, cwd: string): string[] {
  return ["/bin/sh", "-c", `cd '${cwd.replaceAll("'", "'\\''")}' && ${line}`];
}

/** The same path seen from outside. */
export function outside({ root }: Place, path: string): string {
  return join(root, path);
}

/** The places of this machine for the native target. `roots`: a folder with a root file system for each target. */
export function placesFor(target: string, roots: string | undefined): Place[] {
  const own = process.getuid?.() ?? -1;
  const isRoot = own === 0;
  const root = roots === undefined ? undefined : join(roots, target);
  const here: Place[] = [
    { name: "this system", root: "/", uid: own },
    ...(isRoot ? [{ name: "this system, as nobody", root: "/", uid: nobody }] : []),
  ];
  const there: Place[] =
    root !== undefined && isRoot && existsSync(root)
      ? [
          { name: `the bare system in ${root}`, root, uid: 0 },
          { name: `the bare system in ${root}, as nobody`, root, uid: nobody },
        ]
      : [];
  return target.endsWith("-musl") ? there : [...here, ...there];
}
