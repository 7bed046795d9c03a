/** The contents of the configuration files, as tables. */

/** The keys are the fields of `new`; a setting of Codex's own is `config.KEY`. A text may be in a file. */
export type Values = Readonly<Record<string, unknown>>;

/** The tables of one configuration file. */
export interface Tables {
  file: string;
  defaults: Values;
  presets: Readonly<Record<string, Values>>;
}

export interface ConfigFiles {
  own: Tables;
  /**
   * The nearest `.dispatch/config.toml`. `confinedTo` is the root of its repository, or null once the user trusts it.
   */
  repository: (Tables & { confinedTo: string | null }) | null;
}
