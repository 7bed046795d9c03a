import { randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

export interface CodexHome {
  /** For `CODEX_HOME`. */
  home: string;
  /** An empty folder to work in. */
  cwd: string;
  /** What a child needs of an environment, and nothing of this one's. */
  env: Record<string, string>;
  cleanup(): void;
}

/**
 * An isolated CODEX_HOME that knows only the given provider. It lies inside the checkout, because Codex refuses
 * to make its helper binaries under a temporary directory.
 */
export function codexHome(providerUrl: string, config = "", more: { hasPlugins?: boolean } = {}): CodexHome {
  const base = join(root, ".scratch", randomBytes(6).toString("hex"));
  const home = join(base, "codex");
  const cwd = join(base, "work");
  mkdirSync(home, { recursive: true });
  mkdirSync(cwd, { recursive: true });
  writeFileSync(join(home, "config.toml"), configToml(providerUrl, more.hasPlugins === true) + config);
  return {
    home,
    cwd,
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: base, CODEX_HOME: home },
    cleanup() {
      endLeftovers(base);
      rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    },
  };
}

/**
 * A command in Codex's sandbox leads a session of its own, so the end of a killed Codex's group leaves it running. What
 * has this home in its environment was started by this test: nobody else knows the name.
 */
function endLeftovers(base: string): void {
  if (process.platform !== "linux") return;
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (readFileSync(`/proc/${pid}/environ`, "utf8").includes(`HOME=${base}`)) process.kill(pid, "SIGKILL");
    } catch {
      // Gone between the list and the look, or another user's.
    }
  }
}

/** The native executable that npm put beside us, or the one that scripts/versions has the tests run against. */
export function codexExecutable(): string {
  const other = process.env["CODEX_UNDER_TEST"];
  if (other) return other;
  const [platform, triple] = nativeNames();
  return join(root, "node_modules/@openai", `codex-${platform}`, "vendor", triple, "bin/codex");
}

function nativeNames(): [string, string] {
  const cpu = process.arch === "arm64" ? "aarch64" : "x86_64";
  const system = process.platform === "darwin" ? "apple-darwin" : "unknown-linux-musl";
  return [`${process.platform}-${process.arch}`, `${cpu}-${system}`];
}

export function configToml(providerUrl: string, hasPlugins: boolean): string {
  return `model = "mock-model"
model_provider = "mock"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
[model_providers.mock]
name = "mock"
base_url = "${providerUrl}"
wire_api = "responses"
requires_openai_auth = false
supports_websockets = false
request_max_retries = 0
stream_max_retries = 0
stream_idle_timeout_ms = 8000
[analytics]
enabled = false
[features]
plugins = ${hasPlugins}
remote_plugin = false
apps = false
`;
}
