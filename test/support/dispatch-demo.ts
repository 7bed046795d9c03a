/**
 * For scripts/demo where nobody is logged in: a stand-in for the model, and a Codex home that knows only it. Prints the
 * home and a folder to work in, a line each, and lives until its input ends or it is told to.
 */
import { codexHome } from "./codex.ts";
import { startProvider } from "./provider.ts";

const provider = startProvider();
const codex = codexHome(provider.url);
process.on("SIGTERM", leave);
await Bun.write(Bun.stdout, `${codex.home}\n${codex.cwd}\n`);
for await (const _ of Bun.stdin.stream());
await leave();

async function leave(): Promise<void> {
  await provider.stop();
  codex.cleanup();
  process.exit(0);
}
