/** The plugin that tells Codex and Claude Code of dispatch. */
import { type Finding, skipped } from "./check.ts";

export function checkPlugin(): Finding {
  return skipped("this dispatch comes without a plugin and skills; its MCP server is `dispatch mcp`");
}
