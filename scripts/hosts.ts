/**
 * Runs the MCP server in the hosts for Python that README names, with the entries that it shows. They come from PyPI, so
 * scripts/test does not include it: that runs the hosts from npm. Each is installed once into .scratch/hosts-python.
 *   hosts [NAME...]      openai-agents mcp-use; without names: both
 */
import { existsSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { codexExecutable, codexHome } from "../test/support/codex.ts";
import { binary } from "../test/support/dispatch.ts";
import { execute } from "../test/support/hosts/execute.ts";
import { blockOf } from "../test/support/hosts/readme.ts";
import { faultsIn, storyCalls } from "../test/support/hosts/small-story.ts";
import { startProvider } from "../test/support/provider.ts";

const hosts: Readonly<Record<string, string>> = { "openai-agents": "0.24.0", "mcp-use": "1.7.1" };

const root = resolve(import.meta.dir, "..");
const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(hosts, name));
if (unknown !== undefined) {
  await Bun.write(Bun.stderr, `no host "${unknown}"; there are ${Object.keys(hosts).join(" ")}\n`);
  process.exit(2);
}
await ran([process.execPath, "scripts/build.ts"]);
for (const name of names.length > 0 ? names : Object.keys(hosts)) {
  const faults = await faultsOf(name).catch((thrown: unknown) => [String(thrown)]);
  console.log(`${name} ${hosts[name]}: ${faults.length === 0 ? "ok" : faults.join("\n  ")}`);
  if (faults.length > 0) process.exitCode = 1;
}

async function faultsOf(name: string): Promise<string[]> {
  const python = await installed(name);
  const provider = startProvider();
  const codex = codexHome(provider.url);
  // These hosts pass HOME and PATH, and nothing that says where dispatch and Codex have their homes.
  const home = codex.env["HOME"]!;
  symlinkSync(codex.home, join(home, ".codex"));
  const env = {
    HOME: home,
    PATH: [dirname(binary), dirname(codexExecutable()), codex.env["PATH"]].join(":"),
    ENTRY: blockOf(name, "python"),
    MODEL: provider.url,
    INPUT: JSON.stringify([...storyCalls((group) => `dispatch_${group}`), { say: "over" }]),
    MCP_USE_ANONYMIZED_TELEMETRY: "false",
  };
  try {
    const program = join(root, "scripts/hosts.d", `${name}.py`);
    const { code, stdout, stderr } = await execute([python, program], { cwd: codex.cwd, env });
    if (code !== 0) return [`it ended with ${code}: ${stderr}${stdout}`];
    return faultsIn(JSON.parse(stdout.trim().split("\n").at(-1)!) as string[]);
  } finally {
    await execute([binary, "down", "--force"], { cwd: codex.cwd, env });
    await provider.stop();
    codex.cleanup();
  }
}

/** The Python of an environment that has this host. */
async function installed(name: string): Promise<string> {
  const folder = join(root, ".scratch/hosts-python", `${name}-${hosts[name]}`);
  const python = join(folder, "bin/python");
  if (existsSync(join(folder, "installed"))) return python;
  await ran(["python3", "-m", "venv", "--clear", folder]);
  await ran([python, "-m", "pip", "install", "--quiet", `${name}==${hosts[name]}`]);
  writeFileSync(join(folder, "installed"), "");
  return python;
}

async function ran(argv: string[]): Promise<void> {
  const child = Bun.spawn(argv, { cwd: root, stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  const code = await child.exited;
  if (code !== 0) throw new Error(`${argv.join(" ")} ended with ${code}`);
}
