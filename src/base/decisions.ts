/** The words that answer a question of Codex's, in the order they are offered. */
export const decisions = ["approve", "approve_for_session", "deny", "cancel"] as const;

/** As it is typed. */
export const flagOf = (word: string) => `--${word.replaceAll("_", "-")}`;
