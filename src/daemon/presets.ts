/** The names for `new --preset` in a directory. The command line reads them without a daemon. */
import { readEnv } from "../base/env.ts";
import type { Paths } from "../base/paths.ts";
import { readConfig } from "./config.ts";
import { repositoryTables } from "./tables.ts";

export interface Preset {
  name: string;
  /** The configuration file that defines it. */
  file: string;
}

/** A broken file adds no presets. The command that needs the file reports its error. */
export function presetsIn(directory: string, paths: Paths): Preset[] {
  const homes = { home: readEnv().HOME ?? "/", dispatch: paths.home };
  const files = [
    () => ({ file: paths.config, ...readConfig(paths.config) }),
    () => repositoryTables(directory, homes),
  ];
  return files.flatMap((read) => {
    try {
      const found = read();
      return Object.keys(found?.presets ?? {}).map((name) => ({ name, file: found!.file }));
    } catch {
      return [];
    }
  });
}
