/**
 * Finds the native codex executable. npm's `codex` is a Node wrapper that starts the native one as its child. The pid of
 * the wrapper would be the wrong one to record and to signal, so the executable behind it is used.
 */
import { constants } from "node:fs";
import { access, realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fail } from "../base/error.ts";

export interface Wanted {
  /** DISPATCH_CODEX. */
  named?: string | undefined;
  /** `[app_server] command`. */
  configured?: string | undefined;
  /** PATH. */
  path?: string | undefined;
}

/**
 * Throws `agent_down` with the fix as its hint. Called at each start, because Codex may be installed, moved or updated
 * while the daemon runs.
 */
export async function findCodex(wanted: Wanted): Promise<string> {
  if (wanted.named) return native(wanted.named, "DISPATCH_CODEX");
  if (wanted.configured) return native(wanted.configured, "[app_server] command");
  for (const folder of (wanted.path ?? "").split(":").filter((part) => part.startsWith("/"))) {
    const path = join(folder, "codex");
    if (await isRunnable(path)) return native(path, "PATH");
  }
  return fail("agent_down", "codex is not installed: no executable `codex` on PATH", {
    hint: "npm install -g @openai/codex, or name the executable in DISPATCH_CODEX",
    data: { outcome: "not_sent" },
  });
}

async function native(path: string, from: string): Promise<string> {
  if (!(await exists(path)))
    return fail("agent_down", `codex is not at ${path}, named by ${from}`, {
      hint: `correct ${from}`,
      data: notSent,
    });
  const real = await realpath(path);
  if (real.endsWith(".js")) return behindWrapper(real, from);
  if (!(await isRunnable(real)))
    return fail("agent_down", `${real}, named by ${from}, is not executable`, {
      hint: `chmod +x ${real}`,
      data: notSent,
    });
  // A version manager's shim is a link to a program that looks at the name it was started with, so the link is used.
  return path;
}

/** The wrapper is `bin/codex.js` of `@openai/codex`. The native one is in a platform package, inside or beside it. */
async function behindWrapper(wrapper: string, from: string): Promise<string> {
  const root = dirname(dirname(wrapper));
  const inside = join("vendor", triple(), "bin", "codex");
  const platform = `codex-${process.platform}-${process.arch}`;
  const candidates = [
    join(root, "node_modules", "@openai", platform, inside),
    join(dirname(root), platform, inside),
    join(root, inside),
  ];
  for (const candidate of candidates) if (await isRunnable(candidate)) return candidate;
  return fail(
    "agent_down",
    `${wrapper}, named by ${from}, has no native codex: looked for ${candidates.join(", ")}`,
    {
      hint: "npm install -g @openai/codex@latest",
      data: notSent,
    },
  );
}

const notSent = { outcome: "not_sent" };

function triple(): string {
  const cpu = process.arch === "arm64" ? "aarch64" : "x86_64";
  return `${cpu}-${process.platform === "darwin" ? "apple-darwin" : "unknown-linux-musl"}`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isRunnable(path: string): Promise<boolean> {
  if (!(await stat(path).catch(() => undefined))?.isFile()) return false;
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
