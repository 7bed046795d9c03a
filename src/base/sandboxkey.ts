/** Whether a key of Codex's configuration is about what a workspace may write and reach: the table, or a key in it. */
export function isSandboxKey(key: string): boolean {
  return /^sandbox_workspace_write(\.|$)/.test(key);
}
