/** What `new --preset` takes in a directory. The command line reads it by itself: no daemon has to run for it. */
import { readEnv } from "../base/env.ts";
import type { Paths } from "../base/paths.ts";
import { readConfig } from "./config.ts";
import { repositoryTables } from "./tables.ts";

export interface Preset {
  name: string;
  /** That says it. */
  file: string;
}

/** A file that is broken adds none: the command that needs it says what is wrong with it. */
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
