/** Whatever one call does, the process lives, its caller is answered, and the others never notice. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawnDetached } from "../../src/base/detach.ts";
import { limits } from "../../src/base/limits.ts";
import { pathsOf } from "../../src/base/paths.ts";
import { index } from "../../src/ops/index.ts";
import { type Client, connect, until } from "../daemon/rig.ts";

const base = mkdtempSync(join(tmpdir(), "dispatch-boundaries-"));
const paths = pathsOf({ DISPATCH_HOME: join(base, "home") });
let daemon: ReturnType<typeof spawnDetached>;
let client: Client;
let lastId = 0;

beforeAll(async () => {
  daemon = spawnDetached([process.execPath, join(import.meta.dir, "broken.ts")], {
    logPath: join(base, "log"),
    env: {
      ...process.env,
      HOME: base,
      DISPATCH_HOME: paths.home,
      DISPATCH_CODEX: join(base, "no-codex"),
      CODEX_HOME: join(base, "codex"),
    },
  });
  client = await until(() => connect(paths.socket).catch(() => undefined), "a daemon");
  await ask("daemon.status");
});

afterAll(() => process.kill(daemon.pid, "SIGKILL"));

async function ask(op: string, input: object = {}, cwd = "/") {
  const id = ++lastId;
  const row = index.find(({ name }) => name === op)!;
  client.say({ id, op, schema: row.hash, input, caller: { kind: "cli", thread_id: null, cwd } });
  return client.ended(id);
}

const ops = await Promise.all(
  index
    .filter(({ at }) => at !== "client")
    .map(async ({ name, load }) => {
      const input = JSON.stringify((await load()).default.examples[0]!.input);
      // What an example calls `<receipt>` is a thread, a receipt or a request that nobody has.
      return {
        name,
        input: JSON.parse(input.replaceAll(/"<.*?>"/g, '"01234567-0123-0123-0123-012345678901"')),
      };
    }),
);
const ways = ["run", "rejection", "string", "output", "timer", "stray", "row", "tap", "deep"];

describe("a call that fails", () => {
  for (const way of ways)
    test(`by its ${way} is answered, in every op, and the daemon lives`, async () => {
      for (const { name, input } of ops) {
        const { error } = await ask(name, input, `/broken/${way}`);
        expect({ name, code: error?.code }).toEqual({ name, code: "internal" });
        expect(JSON.stringify(error).length).toBeLessThan(2 * limits.error.charsMax);
        const id = error!.data?.["id"] as string;
        expect(readFileSync(paths.log, "utf8")).toContain(`"${id}"`);
      }
      expect((await ask("thread.list")).result).toMatchObject({ threads: [] });
      expect(daemon.exited()).toBeNull();
    }, 30_000);

  test("is shown by daemon status, bounded, with the id that finds it in the log", async () => {
    await ask("thread.list", {}, "/broken/stray");
    const degraded = await until(async () => {
      const { result } = await ask("daemon.status");
      const bugs = (result!["degraded"] as { code: string; message: string; hint: string }[]).filter(
        ({ code }) => code === "internal",
      );
      return bugs.some(({ message }) => message.includes("uncaught error")) && bugs;
    }, "the stray rejection is shown");
    expect(degraded.length).toBeLessThanOrEqual(limits.daemon.faultsKeptMax);
    const { result } = await ask("daemon.log", { raw: true, limit: 1000 });
    for (const { message, hint } of degraded) {
      const id = /\((bug-[^,)]+)/.exec(message)![1]!;
      expect(hint).toBe("dispatch daemon log --raw");
      expect((result!["lines"] as string[]).join("\n")).toContain(id);
    }
  });
});
