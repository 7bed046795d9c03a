/**
 * Every message of `dispatch mcp` is valid by the published schema of each revision of the protocol that it speaks.
 * `test/fixtures/mcp/` has those schemas, without their descriptions.
 */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { SUPPORTED_PROTOCOL_VERSIONS } from "@modelcontextprotocol/sdk/types.js";
import Ajv from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import { until } from "../daemon/rig.ts";
import { binary, dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

/** The first revision, which no schema was published for. */
const unpublished = ["2024-10-07"];
const revisions = SUPPORTED_PROTOCOL_VERSIONS.filter((revision) => !unpublished.includes(revision));

let rig: Rig;
beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("docs", "hello");
  const asking = stringify([{ shell: "touch x" }]);
  await rig.ask(["new", "--name", "asker", "--approval-policy", "untrusted", "--text", asking]);
});
afterAll(() => rig.dispose());

async function validator(revision: string): Promise<(name: string, value: unknown) => string[]> {
  const schema = (await Bun.file(join(import.meta.dir, `../fixtures/mcp/${revision}.json`)).json()) as Json;
  const options = { strict: false, validateFormats: false, allErrors: true };
  const ajv = "$defs" in schema ? new Ajv2020(options) : new Ajv(options);
  const at = "$defs" in schema ? "$defs" : "definitions";
  ajv.addSchema({ ...schema, $id: "mcp" });
  return (name, value) => {
    const valid = ajv.validate({ $ref: `mcp#/${at}/${name}` }, value);
    return valid
      ? []
      : (ajv.errors ?? []).map(({ instancePath, message }) => `${name}${instancePath} ${message}`);
  };
}

/** A host that keeps every line of the server. */
function host(revision: string) {
  const child = Bun.spawn([binary, "mcp"], {
    env: rig.env,
    cwd: rig.codex.cwd,
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines: Json[] = [];
  const results = new Map<number, string>();
  void (async () => {
    let rest = "";
    for await (const chunk of child.stdout) {
      rest += new TextDecoder().decode(chunk);
      const parts = rest.split("\n");
      rest = parts.pop()!;
      lines.push(...parts.map((line) => JSON.parse(line) as Json));
    }
  })();
  const send = (message: Json) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  let id = 0;
  return {
    lines,
    results,
    send,
    async call(method: string, params: Json, result: string): Promise<Json> {
      const own = ++id;
      results.set(own, result);
      send({ id: own, method, params });
      return until(
        () => lines.find((line) => line["id"] === own && !("method" in line)),
        `${revision} ${method}`,
      );
    },
    async end() {
      child.stdin.end();
      await child.exited;
    },
  };
}

describe("every answer, error, notification and request of the server is valid in", () => {
  // At once: each of them waits for a progress message.
  test.concurrent.each(revisions)("%s", async (revision) => {
    const errorsOf = await validator(revision);
    const { lines, results, send, call, end } = host(revision);
    const clientInfo = { name: "schema", version: "1" };
    const elicits = revision >= "2025-06-18";
    const capabilities = elicits ? { elicitation: {} } : {};
    const opened = await call(
      "initialize",
      { protocolVersion: revision, capabilities, clientInfo },
      "InitializeResult",
    );
    expect(opened["result"]).toMatchObject({ protocolVersion: revision });
    send({ method: "notifications/initialized" });
    await call("ping", {}, "EmptyResult");
    await call("tools/list", {}, "ListToolsResult");
    const tool = (name: string, args: Json, more: Json = {}) =>
      call("tools/call", { name: `dispatch_${name}`, arguments: args, ...more }, "CallToolResult");
    await tool("list", {});
    await tool("thread_read", { op: "list", verbose: true });
    await tool("get", { thread: "@nobody" });
    await tool("archive", { threads: ["@nobody", "@nobody else"] });
    const waiting = { threads: ["@docs"], for: "waiting", timeout: 6 };
    await tool("wait", waiting, { _meta: { progressToken: "p" } });
    await tool("nothing", {});
    await call("resources/list", {}, "ListResourcesResult");
    await call("resources/templates/list", {}, "ListResourceTemplatesResult");
    await call("resources/read", { uri: "dispatch://threads" }, "ReadResourceResult");
    await call("resources/read", { uri: "dispatch://nothing" }, "ReadResourceResult");
    await call("no/such/method", {}, "EmptyResult");
    // What hosts of the next revision ask first.
    await call("server/discover", {}, "EmptyResult");
    if (elicits) {
      const asked = tool("wait", { threads: ["@asker"], ask_person: true });
      const request = await until(
        () => lines.find((line) => line["method"] === "elicitation/create"),
        "a form",
      );
      send({ id: request["id"], result: { action: "decline" } });
      await asked;
    }
    await end();

    const error = revision >= "2025-11-25" ? "JSONRPCErrorResponse" : "JSONRPCError";
    const problems = lines.flatMap((line) => {
      const envelope = errorsOf("JSONRPCMessage", line);
      if ("error" in line) return [...envelope, ...errorsOf(error, line)];
      if (!("method" in line))
        return [...envelope, ...errorsOf(results.get(line["id"] as number)!, line["result"])];
      return [...envelope, ...errorsOf("id" in line ? "ServerRequest" : "ServerNotification", line)];
    });
    expect(problems).toEqual([]);
    expect(lines.filter((line) => "error" in line).length).toBe(4);
    expect(lines.some((line) => line["method"] === "notifications/progress")).toBe(true);
  });
});

test("a schema finds a message that is not valid", async () => {
  for (const revision of revisions) {
    const errorsOf = await validator(revision);
    expect(errorsOf("ListToolsResult", { tools: [{ name: 5 }] })).not.toEqual([]);
    expect(errorsOf("CallToolResult", { content: [{ type: "text" }] })).not.toEqual([]);
  }
});
