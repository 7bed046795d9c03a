/**
 * One executable with three roles: `dispatchd` is the daemon, `dispatch mcp` the MCP server, everything else the
 * command line. Each role is loaded only when it is needed. What a surface may not import is passed to it here.
 */
import { quick } from "./surface/cli/quick.ts";
import type { FarDeps, SurfaceDeps } from "./surface/deps.ts";
import type { Listings } from "./surface/mcp/listing.ts";
import type { Answer } from "./surface/wire.ts";

const farDeps: FarDeps = {
  hosts: async (paths) => (await import("./daemon/hosts.ts")).readHosts(paths.config),
  agentHere: async (question) => (await import("./daemon/agenthere.ts")).agentHere(question),
};

const argv = process.argv.slice(2);
const isDaemon = process.argv0.split("/").at(-1) === "dispatchd" || argv[0] === "__daemon";

const quickResult = isDaemon ? {} : await quick(argv, farDeps);
process.exit(typeof quickResult === "number" ? quickResult : await start(quickResult));

async function start(pending: { answer?: Promise<Answer> }): Promise<number> {
  if (isDaemon) {
    const { runDaemon } = await import("./daemon/run.ts");
    return runDaemon({ argv });
  }
  if (argv.length === 1 && argv[0] === "--version") {
    const [{ version }, { writeOut }] = await Promise.all([
      import("./base/version.ts"),
      import("./base/stdio.ts"),
    ]);
    const isWritten = await writeOut(`dispatch ${version}\n`).then(
      () => true,
      () => false,
    );
    // Otherwise `runCli` tries it again and reports the error.
    if (isWritten) return 0;
  }
  // What `--host` runs on the other machine.
  if (argv[0] === "dial-stdio") {
    const [{ dialStdio }, { index }] = await Promise.all([
      import("./surface/remote/dialstdio.ts"),
      import("./ops/index.ts"),
    ]);
    return dialStdio(argv.slice(1), { index, ...daemonStart() });
  }
  if (argv[0] === "__complete") {
    const { complete } = await import("./surface/cli/complete/complete.ts");
    return complete(argv.slice(1), {
      index: (await import("./ops/index.ts")).index,
      ...daemonStart(),
      ...farDeps,
      presets: async (directory, paths) => (await import("./daemon/presets.ts")).presetsIn(directory, paths),
    });
  }
  const [{ runCli }, { index }] = await Promise.all([
    import("./surface/cli/run.ts"),
    import("./ops/index.ts"),
  ]);
  return runCli(argv, {
    ...pending,
    index,
    // As text: the same as a module takes 7 ms to load and to write, instead of 1.5 (measured).
    tools: async () => {
      const { default: text } = await import("./surface/mcp/listing.json", { with: { type: "text" } });
      return JSON.parse(text as unknown as string) as Listings;
    },
    ...daemonStart(),
    ...farDeps,
    codex: async (args) => (await import("./daemon/terminal.ts")).runCodexInTerminal(args),
    show: async (path) => (await import("./daemon/terminal.ts")).showFile(path),
    doctor: async (paths, input) => (await import("./daemon/doctor.ts")).runChecks(paths, input),
    registry: async (paths) => (await import("./daemon/registry.ts")).registryOf(paths),
    plugin: async (paths) => (await import("./daemon/plugin/plugin.ts")).pluginOf(paths),
  });
}

/** How a client starts the daemon. */
function daemonStart(): Pick<SurfaceDeps, "daemonArgv" | "daemonVariables" | "service"> {
  // When run from source, the executable is Bun itself and needs the file to run: Bun.main, which is this file.
  const daemonArgv = Bun.main.startsWith("/$bunfs/")
    ? [process.execPath, "__daemon"]
    : [process.execPath, Bun.main, "__daemon"];
  return {
    daemonArgv,
    service: async (paths) => (await import("./daemon/service/service.ts")).serviceOf(paths, daemonArgv),
    daemonVariables: async (paths) => (await import("./daemon/config.ts")).passedVariables(paths.config),
  };
}
