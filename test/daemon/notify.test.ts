/** The programs of `[[notify]]`, as README has them, against receivers on this machine. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/daemon/config.ts";
import { programRunner } from "../../src/daemon/notify.ts";

let folder: string;
let server: ReturnType<typeof Bun.serve>;
const received: { path: string; title: string | null; body: string }[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "notify-"));
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      received.push({ path: pathname, title: request.headers.get("title"), body: await request.text() });
      return new Response("ok");
    },
  });
  // A desktop that writes down what it is told.
  const desktop = join(folder, "notify-send");
  writeFileSync(desktop, `#!/bin/sh\nprintf '%s|%s' "$1" "$2" > ${folder}/told\n`);
  chmodSync(desktop, 0o755);
});

afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

/** The blocks of README, with the addresses of this machine. */
function recipes() {
  const readme = readFileSync(join(import.meta.dir, "../../README.md"), "utf8");
  const text = [...readme.matchAll(/```toml\n(# The desktop\.[\s\S]*?)```/g)][0]![1]!;
  const file = join(folder, "config.toml");
  writeFileSync(file, text.replaceAll(/https:\/\/[\w.]+/g, `http://127.0.0.1:${server.port}`));
  return readConfig(file).notify;
}

const notice = {
  kind: "request.opened",
  seq: 7,
  at: "2026-01-01T00:00:00.000Z",
  thread: { ref: "bcdfgh", title: 'it\'s "docs"', handle: "docs", cwd: "/repo" },
  summary: '@docs: request.opened: rm -rf "$HOME"; `id`',
  command: "dispatch request answer abc --approve",
  request: "abc",
  data: {},
};
const runner = () => programRunner({ PATH: `${folder}:${process.env["PATH"]}` }, folder);

test("the desktop, a webhook and ntfy are told what README says, and no shell reads what a thread wrote", async () => {
  const [desktop, webhook, ntfy] = recipes();
  for (const recipe of [desktop!, webhook!, ntfy!]) await runner()(recipe.exec, JSON.stringify(notice));
  expect(readFileSync(join(folder, "told"), "utf8")).toBe(`dispatch|${notice.summary}`);
  expect(received.map(({ path }) => path)).toEqual(["/hook", "/your-topic"]);
  expect(JSON.parse(received[0]!.body)).toEqual(notice);
  expect(received[1]).toMatchObject({ title: notice.kind, body: `${notice.summary}: ${notice.command}` });
});

test("a program that ends badly, or is not there, says so", async () => {
  const run = (exec: string[]) => runner()(exec, JSON.stringify(notice));
  await expect(run(["sh", "-c", "echo no network >&2; exit 3"])).rejects.toThrow("ended with 3: no network");
  await expect(run(["no-such-program"])).rejects.toThrow("cannot start no-such-program");
});
