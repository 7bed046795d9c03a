/** The tree of commands: citty holds it and dispatches. */
import { type CommandDef, runCommand } from "citty";
import type { Command, Found } from "./commands.ts";

/** Runs what `routeOf` found. */
export async function dispatch(found: Found, commands: readonly Command[]): Promise<number> {
  let status = 0;
  const leaf = (command: Command): CommandDef => ({
    run: async ({ rawArgs }) => {
      status = await command.run(rawArgs);
    },
  });
  const root: Record<string, CommandDef> = {};
  for (const command of commands) {
    const [noun, verb] = wordsOf(command);
    if (verb === undefined) root[noun] = leaf(command);
    else
      root[noun] = {
        subCommands: { ...(root[noun]?.subCommands as Record<string, CommandDef>), [verb]: leaf(command) },
      };
  }
  await runCommand({ subCommands: root }, { rawArgs: [...wordsOf(found.command), ...found.args] });
  return status;
}

/** One that a flag makes of another is a word of its own here. */
function wordsOf({ cli }: Command): [string] | [string, string] {
  return cli.includes(" --") ? [cli] : (cli.split(" ") as [string] | [string, string]);
}
