/**
 * A real NATS server with JetStream, on loopback, in a folder of its own. Debian's package is taken as it is installed,
 * or is fetched once into `.scratch` of the checkout, which needs no rights.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { until } from "./fault.ts";

const scratch = resolve(import.meta.dir, "../../.scratch");
const fetched = join(scratch, "nats/usr/sbin/nats-server");

export const natsPath = findServer();
/** Why the tests of the relay are skipped; undefined: they run. */
export const noNats: string | undefined =
  natsPath === null ? "there is no nats-server, and none can be fetched" : undefined;

/** Null where there is none and none can be fetched: those tests are skipped. */
function findServer(): string | null {
  const installed = process.env["NATS_SERVER"] ?? Bun.which("nats-server");
  if (installed) return installed;
  if (existsSync(fetched)) return fetched;
  if (!Bun.which("apt-get") || !Bun.which("dpkg")) return null;
  // Two test files may come here at once: each has a folder of its own, and moves it.
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, "nats-"));
  const run = (command: string[]) =>
    Bun.spawnSync(command, { cwd: folder, stdout: "ignore", stderr: "ignore", timeout: 60_000 }).exitCode ===
    0;
  const got = run(["apt-get", "download", "nats-server"]);
  const file = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (got && file && run(["dpkg", "-x", file, "."]) && !existsSync(fetched))
    run(["mv", "-T", folder, join(scratch, "nats")]);
  rmSync(folder, { recursive: true, force: true });
  return existsSync(fetched) ? fetched : null;
}

export interface NatsOptions {
  /** Lines of the configuration, beside address and storage. */
  config?: string;
  /** `null`: without JetStream. */
  jetstream?: string | null;
}

export interface NatsServer {
  url: string;
  folder: string;
  port: number;
  pid(): number;
  isUp(): boolean;
  signal(name: "SIGSTOP" | "SIGCONT"): void;
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Other lines, for the next start. */
  write(config: string): void;
  /** Writes other lines, and tells the server. */
  reload(config: string): Promise<void>;
  log(): string;
  dispose(): Promise<void>;
}

export async function natsServer(options: NatsOptions = {}): Promise<NatsServer> {
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, "nats-run-"));
  const port = freePort();
  const file = join(folder, "nats.conf");
  const logFile = join(folder, "nats.log");
  let child: Bun.Subprocess | undefined;

  function write(config: string): void {
    const store = `jetstream { store_dir: "${join(folder, "store")}" ${options.jetstream ?? ""} }`;
    const lines = [
      `listen: "127.0.0.1:${port}"`,
      ...(options.jetstream === null ? [] : [store]),
      `log_file: "${logFile}"`,
      config,
    ];
    writeFileSync(file, `${lines.join("\n")}\n`);
  }

  const log = () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : "");
  const count = (words: string) => log().split(words).length - 1;

  async function start(): Promise<void> {
    const before = count("Server is ready");
    child = Bun.spawn([natsPath!, "-c", file], { stdout: "ignore", stderr: "ignore" });
    await until("nats-server is ready", () => count("Server is ready") > before);
  }

  write(options.config ?? "");
  await start();
  return {
    url: `nats://127.0.0.1:${port}`,
    folder,
    port,
    pid: () => child!.pid,
    isUp: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    signal: (name) => child?.kill(name),
    write,
    start,
    async kill() {
      child?.kill("SIGKILL");
      await child?.exited;
    },
    async reload(config) {
      const before = count("Reloaded server configuration");
      write(config);
      child?.kill("SIGHUP");
      await until("nats-server has reloaded", () => count("Reloaded server configuration") > before);
    },
    log,
    async dispose() {
      child?.kill("SIGKILL");
      await child?.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
