/** Agents and other machines: what an agent may not do here, it may not do there. From a shell of a thread, and over MCP. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { binary, type Json } from "../support/dispatch.ts";
import { type Machines, machines } from "../support/machines.ts";
import { noSshd } from "../support/sshd.ts";

setDefaultTimeout(120_000);

describe.skipIf(noSshd !== undefined)(`an agent and another machine${noSshd ? `: ${noSshd}` : ""}`, () => {
  let all: Machines;
  let theirs: Json;
  beforeAll(async () => {
    all = await machines();
    all.share();
    theirs = await all.there.thread("theirs", "hello");
    const power = ["--sandbox", "danger-full-access", "--approval-policy", "never"];
    await all.here.ask(["new", "--name", "free", ...power]);
  });
  afterAll(() => all?.dispose());

  /** What a shell of the thread prints. The shell has nothing of the test's environment. */
  const said = (words: string) =>
    all.here.shell("@free", `DISPATCH_SSH=${all.box.ssh} ${binary} ${words} 2>&1; true`);
  const least = "--sandbox read-only --approval-policy untrusted";

  test("uses none that the configuration does not list for agents, and no connection is made", async () => {
    const refused = await said("--host box list");
    expect(refused).toContain('"code":"denied"');
    expect(refused).toContain("agents may not use the host box");
    expect(await said(`--host ssh://127.0.0.1:${all.box.port} list`)).toContain('"code":"denied"');
    expect(await said("list --hosts")).toContain("agents may not use the host box");
    expect(all.box.clients()).toEqual([]);
  });

  test("is the same agent with no variable that says so", async () => {
    const nameless = "env -u CODEX_THREAD_ID -u CODEX_SANDBOX -u CODEX_SANDBOX_NETWORK_DISABLED";
    const line = `${nameless} DISPATCH_SSH=${all.box.ssh} ${binary} --host box list 2>&1; true`;
    expect(await all.here.shell("@free", line)).toContain('"code":"denied"');
  });

  describe("on a host that agents may use", () => {
    beforeAll(async () => {
      all.configure('[policy]\nhosts = ["box"]\n');
      // Free there, to show that an agent of another machine is not.
      writeFileSync(join(all.there.home, "config.toml"), '[policy]\nagents = "free"\n');
    });

    test("reads, and sends", async () => {
      expect(JSON.parse(await said("--host box list")).threads).toHaveLength(1);
      expect(JSON.parse(await said(`--host box send ${theirs["ref"]} hello --wait`))).toMatchObject({
        outcome: "completed",
      });
    });

    test("manages only what it made there, and makes only what may do the least", async () => {
      expect(await said(`--host box archive ${theirs["ref"]} --yes`)).toContain('"code":"denied"');
      const wide = "--sandbox danger-full-access --approval-policy never";
      expect(await said(`--host box new --name wide ${wide}`)).toContain('"code":"denied"');
      const made = JSON.parse(await said(`--host box new --name its ${least}`));
      expect(made.created_by).toMatch(/\/[0-9a-f-]{36}$/);
      const archived = JSON.parse(await said(`--host box archive ${made.ref} --yes`));
      expect(archived.thread.status).toBe("archived");
      expect((await all.there.ask(["list"])).threads).toHaveLength(1);
    });

    test("runs no command of the machine there", async () => {
      for (const command of ["down", "up", "doctor --no-app-server", "registry backup", "open abc123"])
        expect(await said(`--host box ${command}`)).toContain('"code":"denied"');
      expect((await all.there.ask(["daemon", "status"])).pid).toBeGreaterThan(0);
    });

    test("only reads there, where agents may only read here", async () => {
      all.configure('[policy]\nhosts = ["box"]\nagents = "read"\n');
      expect(JSON.parse(await said("--host box list")).threads).toHaveLength(1);
      expect(await said(`--host box send ${theirs["ref"]} hello`)).toContain("may only read");
      all.configure('[policy]\nhosts = ["box"]\n');
    });

    describe("over MCP", () => {
      let client: Client;
      beforeAll(async () => {
        client = new Client({ name: "test", version: "0" });
        const env = all.here.env;
        await client.connect(
          new StdioClientTransport({ command: binary, args: ["mcp"], env, cwd: all.here.codex.cwd }),
        );
      });
      afterAll(() => client?.close());

      // biome-ignore lint/suspicious/noExplicitAny: a test reads any field of any answer
      const call = (name: string, args: Json, _meta?: Json): Promise<any> =>
        client.callTool({ name, arguments: args, ...(_meta ? { _meta } : {}) } as never);
      const agent = { threadId: "01a2051d-b657-7002-81c0-9f7e837c4535" };

      test("the tools take a host, because one is configured", async () => {
        const { tools } = await client.listTools();
        const list = tools.find(({ name }) => name === "dispatch_thread_read")!;
        expect(list.inputSchema.properties?.["host"]).toMatchObject({ type: "string" });
      });

      test("a call with a host is answered there", async () => {
        const { structuredContent } = await call("dispatch_thread_read", { op: "list", host: "box" });
        expect(structuredContent.threads).toMatchObject([{ title: "theirs" }]);
        const here = await call("dispatch_thread_read", { op: "list" });
        expect(here.structuredContent.threads).toMatchObject([{ title: "free" }]);
      });

      test("an agent has the rights of an agent there, and a path must be absolute", async () => {
        const archive = { op: "archive", thread: theirs["ref"], host: "box" };
        const denied = await call("dispatch_thread_write", archive, agent);
        expect(denied).toMatchObject({ isError: true, _meta: { code: "denied" } });
        const path = { op: "new", name: "x", cwd: "work", host: "box" };
        expect(await call("dispatch_thread_write", path)).toMatchObject({ _meta: { code: "usage" } });
      });

      test("an agent uses no host that is not listed for agents, nor one that is unknown", async () => {
        const other = { op: "list", host: "ssh://127.0.0.1:1" };
        expect(await call("dispatch_thread_read", other, agent)).toMatchObject({ _meta: { code: "denied" } });
        const unknown = { op: "list", host: "nobox" };
        expect(await call("dispatch_thread_read", unknown)).toMatchObject({ _meta: { code: "not_found" } });
        expect(await call("dispatch_daemon_read", { op: "doctor", host: "box" })).toMatchObject({
          _meta: { code: "usage" },
        });
      });
    });
  });
});
