/** Does what a command prints fit the schema that `dispatch schema` gives of it? */
import Ajv2020 from "ajv/dist/2020.js";
import type { Rig } from "./dispatch.ts";

const ajv = new Ajv2020({ strict: false });

export interface Checked {
  /** Throws, naming command and place, when the output does not fit. */
  fits(command: string, output: unknown): void;
  commands: string[];
}

export async function outputSchemas(rig: Rig): Promise<Checked> {
  const { commands } = await rig.ask(["schema"]);
  const names = (commands as { command: string }[]).map(({ command }) => command);
  const validators = new Map<string, ReturnType<typeof ajv.compile>>();
  for (const name of names) {
    const { input, output } = await rig.ask(["schema", ...name.split(" ")]);
    ajv.compile(input);
    validators.set(name, ajv.compile(output));
  }
  return {
    commands: names,
    fits(command, output) {
      const validate = validators.get(command);
      if (validate === undefined) throw new Error(`no schema of ${command}`);
      if (!validate(output)) throw new Error(`${command}: ${ajv.errorsText(validate.errors)}`);
    },
  };
}
