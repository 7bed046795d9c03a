/** `dispatch mcp`: the ops as MCP tools. A thin client of the daemon, like the command line. */
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
  CallToolRequestSchema,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { systemClock } from "../../base/clock.ts";
import { errorMessage } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { nearest } from "../../base/nearest.ts";
import type { Paths } from "../../base/paths.ts";
import { shortText } from "../../base/shorten.ts";
import { onUncaught } from "../../base/signals.ts";
import { writeErr } from "../../base/stdio.ts";
import { cell } from "../../base/text.ts";
import { version } from "../../base/version.ts";
import type { Globals } from "../cli/globals.ts";
import { hostOf, sessionOn } from "../cli/opensession.ts";
import type { SurfaceDeps } from "../deps.ts";
import { elsewhere, withHosts } from "./elsewhere.ts";
import { newsMemory } from "./news.ts";
import type { AskPerson, Served } from "./run.ts";
import { stdioTransport } from "./stdio.ts";
import { toolsOf } from "./tools.ts";

/** Some hosts show only the first 250 characters. */
const instructions =
  "dispatch runs other Codex agents: threads that outlive this turn. new creates workers, wait returns their answers and " +
  "what they ask, send steers or queues, request_answer answers approvals, archive cleans up. Do not poll: wait.\n" +
  "A thread is named by ref, id, @handle or title. A receipt means that a text is stored; wait or receipt_get says what " +
  "became of it. Several at once: new {threads: [{name, text}, ...]}, archive {threads: [...]}. A wait ends after 45 s by " +
  "default; call it again. Results leave out what is empty; verbose: true gives everything.";

/** Hosts that show the model a tool only when it looks for one. They find one tool an operation more easily. */
const deferringHosts = ["codex", "claude"];

export interface ServeOptions {
  deps: SurfaceDeps;
  paths: Paths;
  globals: Globals;
  /** One tool an operation. Undefined: by the host. */
  isFlat: boolean | undefined;
  /** Also the tools of the former `codex mcp-server`. */
  isCompat: boolean;
}

/** Resolves with the exit status when the host has closed our input and the open calls had time to answer. */
export async function serveMcp(options: ServeOptions): Promise<number> {
  const { deps, paths } = options;
  const host = await hostOf(options);
  const { session } = await sessionOn(host, options);
  const calls = new Set<Promise<unknown>>();
  const served: Served = {
    deps,
    paths,
    session,
    isNews: newsMemory(),
    isElsewhere: host !== undefined,
    elsewhere: elsewhere(),
    askPerson: undefined,
  };
  const server = serverOf(served, options, calls);
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
  session.close();
  served.elsewhere.close();
  await transport.flushed();
  return 0;
}

function serverOf(served: Served, options: ServeOptions, calls: Set<Promise<unknown>>): Server {
  const server = new Server(
    { name: "dispatch", version },
    { capabilities: { tools: {}, resources: {} }, instructions },
  );
  const tools = new Map([...toolsOf(served.deps.index, true), ...toolsOf(served.deps.index, false)]);
  const track = <T>(call: Promise<T>): Promise<T> => {
    calls.add(call);
    return call.finally(() => calls.delete(call));
  };

  server.setRequestHandler(ListToolsRequestSchema, async () => {
    const { grouped, flat } = await track(served.deps.tools());
    const isFlat = options.isFlat ?? isDeferring(server.getClientVersion()?.name);
    const more = options.isCompat ? (await import("./compat.ts")).compatListing : [];
    // A configuration that is broken is an error of the calls, and no reason to have no tools.
    const hosts = Object.keys(await served.deps.hosts(served.paths).catch(() => ({})));
    const listing = isFlat ? flat : grouped;
    return { tools: [...(hosts.length > 0 ? withHosts(listing, tools, hosts) : listing), ...more] };
  });

  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => {
    const meta = params._meta as Record<string, unknown> | undefined;
    const token = params._meta?.progressToken;
    let count = 0;
    const progress = (message: string) => {
      count += 1;
      if (token === undefined) return;
      const update = { progressToken: token, progress: count, message };
      // A progress message that cannot be sent does not fail the call.
      extra.sendNotification({ method: "notifications/progress", params: update }).catch(() => {});
    };
    const call = { args: params.arguments ?? {}, meta, signal: extra.signal, progress };
    if (options.isCompat && compatNames.has(params.name))
      return track(import("./compat.ts").then(({ callCompat }) => callCompat(served, params.name, call)));
    const tool = tools.get(params.name) ?? unknownTool(params.name, tools.keys());
    const here = { ...served, askPerson: personOf(server) };
    return track(import("./call.ts").then(({ callTool }) => callTool(here, { ...call, tool })));
  });

  const resources = () => import("./resources.ts");
  server.setRequestHandler(ListResourcesRequestSchema, async ({ params }, { signal }) =>
    track((await resources()).listResources(served, params?.cursor, signal)),
  );
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async () => ({
    resourceTemplates: [...(await resources()).resourceTemplates],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }, { signal }) => ({
    contents: [await track((await resources()).readResource(served, params.uri, signal))],
  }));
  return server;
}

const compatNames = new Set(["codex", "codex-reply"]);

const isDeferring = (host: string | undefined) =>
  deferringHosts.some((name) => host?.toLowerCase().startsWith(name) ?? false);

function unknownTool(name: string, known: Iterable<string>): never {
  const right = nearest(name, known);
  throw new McpError(
    ErrorCode.InvalidParams,
    `there is no tool ${cell(shortText(name, limits.mcp.textCharsMax))}${right ? `; did you mean ${right}?` : ""}`,
  );
}

function personOf(server: Server): AskPerson | undefined {
  if (!server.getClientCapabilities()?.elicitation) return undefined;
  return async (message, schema, signal) => {
    try {
      const { action, content } = await server.elicitInput(
        { mode: "form", message, requestedSchema: schema as never },
        { timeout: limits.mcp.personMs, signal },
      );
      return action === "accept" ? (content as Record<string, unknown>) : undefined;
    } catch {
      // The host refused to show it, or the person did not answer in time: the question stays open.
      return undefined;
    }
  };
}
