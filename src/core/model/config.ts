/** What the configuration files say, as tables. */

/** By the field of `new`; one setting of Codex's own is `config.KEY`. A text may stand in a file. */
export type Values = Readonly<Record<string, unknown>>;

/** One configuration file, as its tables say. */
export interface Tables {
  file: string;
  defaults: Values;
  presets: Readonly<Record<string, Values>>;
}

export interface ConfigFiles {
  own: Tables;
  /** The nearest `.dispatch/config.toml`; `confinedTo` is null once the user trusts its repository. */
  repository: (Tables & { confinedTo: string | null }) | null;
}
