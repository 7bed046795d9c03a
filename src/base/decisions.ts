/** As it is typed. */
export const flagOf = (word: string) => `--${word.replaceAll("_", "-")}`;
