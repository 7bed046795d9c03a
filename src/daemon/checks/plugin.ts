/** Checks the plugin that makes dispatch known to Codex and Claude Code. */
import { type Finding, skipped } from "./check.ts";

export function checkPlugin(): Finding {
  return skipped("this version has no plugin and no skills; its MCP server is `dispatch mcp`");
}
