/** The tree of commands: citty holds it and dispatches. */
import { type CommandDef, runCommand } from "citty";
import type { Command } from "./commands.ts";

/** `words` begin with a command that `routeOf` found. */
export async function dispatch(words: readonly string[], commands: readonly Command[]): Promise<number> {
  let status = 0;
  const leaf = (command: Command): CommandDef => ({
    run: async ({ rawArgs }) => {
      status = await command.run(rawArgs);
    },
  });
  const root: Record<string, CommandDef> = {};
  for (const command of commands) {
    const [noun, verb] = command.cli.split(" ") as [string, string?];
    if (verb === undefined) root[noun] = leaf(command);
    else
      root[noun] = {
        subCommands: { ...(root[noun]?.subCommands as Record<string, CommandDef>), [verb]: leaf(command) },
      };
  }
  await runCommand({ subCommands: root }, { rawArgs: [...words] });
  return status;
}
