/** `dispatch mcp`: the ops as MCP tools. A thin client of the daemon, like the command line. */
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  ErrorCode,
  ListToolsRequestSchema,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";
import { systemClock } from "../../base/clock.ts";
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import type { Paths } from "../../base/paths.ts";
import { onUncaught } from "../../base/signals.ts";
import { writeErr } from "../../base/stdio.ts";
import { cell, toJsonLine } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import type { Globals } from "../cli/globals.ts";
import type { Row } from "../client.ts";
import type { SurfaceDeps } from "../deps.ts";
import { openSession } from "../session.ts";
import { shortText } from "./bound.ts";
import { callTool, type Served } from "./call.ts";
import { stdioTransport } from "./stdio.ts";
import { listingOf, toolsOf } from "./tools.ts";

const instructions =
  "dispatch runs and watches Codex threads on this machine. Threads are named by ref, id, @handle or title. " +
  "A send is accepted when it returns a receipt. It is done when the receipt or a wait reports so: wait instead of polling. " +
  "Give wait, and a send that waits, a timeout below the limit of your host for one call, often a minute; then wait again. " +
  "Hints are written for a shell: --queue is queue: true, --no-refresh is refresh: false, and " +
  "dispatch queue hold @docs is the op queue_hold with thread: @docs.";

export interface ServeOptions {
  deps: SurfaceDeps;
  paths: Paths;
  globals: Globals;
  isFlat: boolean;
}

/** Resolves with the exit status when the host has closed our input and the open calls had time to answer. */
export async function serveMcp({ deps, paths, globals, isFlat }: ServeOptions): Promise<number> {
  const session = openSession({
    paths,
    daemonArgv: deps.daemonArgv,
    daemonVariables: deps.daemonVariables,
    isStartForbidden: globals.start === false,
  });
  const calls = new Set<Promise<unknown>>();
  const server = serverOf({ deps, paths, session }, isFlat, calls);
  const transport = stdioTransport();
  // The server must survive the failure of one call: without it the host's agents have no tools.
  onUncaught((thrown) => {
    writeErr(`dispatch mcp: uncaught error: ${errorMessage(thrown)}\n`).catch(() => {});
  });
  await server.connect(transport);
  await transport.ended;
  await Promise.race([Promise.allSettled(calls), systemClock.sleep(limits.mcp.eofGraceMs)]);
  // The SDK sends an answer some microtasks after its handler returned.
  await systemClock.sleep(0);
  await transport.flushed();
  session.close();
  return 0;
}

function serverOf(served: Served, isFlat: boolean, calls: Set<Promise<unknown>>): Server {
  const tools = toolsOf(served.deps.index, isFlat);
  const server = new Server({ name: "dispatch", version }, { capabilities: { tools: {} }, instructions });
  server.setRequestHandler(ListToolsRequestSchema, async () => ({
    tools: await tracked(calls, Promise.all([...tools.values()].map(listingOf))),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const tool = tools.get(params.name);
    if (!tool)
      throw new McpError(ErrorCode.InvalidParams, `there is no tool ${cell(shortText(params.name))}`);
    const meta = params._meta as Record<string, unknown> | undefined;
    const token = params._meta?.progressToken;
    let rows = 0;
    const progress = (row: Row) => {
      rows += 1;
      if (token === undefined) return;
      const update = { progressToken: token, progress: rows, message: toJsonLine(row) };
      // A progress message that cannot be sent does not fail the call.
      extra.sendNotification({ method: "notifications/progress", params: update }).catch(() => {});
    };
    return tracked(
      calls,
      callTool(served, { tool, args: params.arguments ?? {}, meta, signal: extra.signal, progress }),
    );
  });
  return server;
}

function tracked<T>(calls: Set<Promise<unknown>>, call: Promise<T>): Promise<T> {
  calls.add(call);
  return call.finally(() => calls.delete(call));
}
