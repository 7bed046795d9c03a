/** Whatever destroys something wants a yes, from a person or in the command: each such command of the product. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type * as v from "valibot";
import { codes } from "../../../src/base/error.ts";
import { index } from "../../../src/ops/index.ts";
import type { AnyOp } from "../../../src/ops/op.ts";
import { fieldsOf } from "../../../src/surface/cli/args.ts";
import { spell } from "../../../src/surface/cli/spell.ts";
import { mayBeLeftOut } from "../../../src/surface/input.ts";
import { newHome, socketIn } from "../support/run.ts";

const program = resolve(import.meta.dir, "../../../src/main.ts");
const ops = await Promise.all(
  index.filter((row) => !row.hidden).map(async (row) => (await row.load()).default),
);
const destroying = ops.filter((op) => op.intent === "destroy");

/** Something that the command takes. */
function inputOf(op: AnyOp): Record<string, unknown> {
  const example = op.examples.find(({ error }) => error === undefined);
  if (example) return example.input;
  const wanted = fieldsOf(op).filter(({ schema }) => !mayBeLeftOut(schema as v.GenericSchema));
  return Object.fromEntries(
    wanted.map(({ name, type, mark }) => [name, type === "number" ? 1 : mark.path ? "/x" : "x"]),
  );
}

/** A home where whoever connects is counted, and where a daemon might be started. */
function watchedHome() {
  const home = newHome();
  let connects = 0;
  const server = Bun.listen({
    unix: socketIn(home),
    socket: {
      open(socket) {
        connects++;
        socket.end();
      },
      data() {},
    },
  });
  const env = { PATH: process.env["PATH"] ?? "", HOME: newHome(), DISPATCH_HOME: home };
  return { home, env, connects: () => connects, end: () => server.stop(true) };
}

test("there are such commands", () => {
  expect(destroying.map(({ cli }) => cli)).toEqual(expect.arrayContaining(["forget", "archive", "revert"]));
});

for (const op of destroying)
  describe(op.cli, () => {
    const line = spell(op, inputOf(op)).replaceAll("'", "");
    const args = line.split(" ").slice(1);

    test("off a terminal and without --yes: exit 2, nothing contacted, started or written", async () => {
      const { home, env, connects, end } = watchedHome();
      const child = Bun.spawn([process.execPath, program, ...args], {
        env,
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
      const [stdout, stderr] = await Promise.all([
        new Response(child.stdout).text(),
        new Response(child.stderr).text(),
      ]);
      expect([await child.exited, stdout]).toEqual([codes.usage.exit, ""]);
      expect(JSON.parse(stderr).error).toMatchObject({
        code: "usage",
        hint: `${spell(op, inputOf(op))} --yes`,
      });
      expect([connects(), readdirSync(home)]).toEqual([0, ["dispatch.sock"]]);
      end();
    });

    test("on a terminal with --no-interactive the same, without a question", async () => {
      const { home, env, connects, end } = watchedHome();
      let shown = "";
      const child = Bun.spawn([process.execPath, program, ...args, "--no-interactive"], {
        env: { ...env, TERM: "xterm" },
        terminal: {
          cols: 120,
          rows: 24,
          data(_, chunk) {
            shown += new TextDecoder().decode(chunk);
          },
        },
      });
      expect(await child.exited).toBe(codes.usage.exit);
      expect(shown).toContain("there is no terminal to confirm it");
      expect([connects(), readdirSync(home)]).toEqual([0, ["dispatch.sock"]]);
      end();
    });
  });

test("the hint names the home too, so that typing it destroys nothing elsewhere", async () => {
  const home = join(newHome(), "my home");
  mkdirSync(home);
  const child = Bun.spawn([process.execPath, program, "forget", "@a", "--home", home], {
    env: { PATH: process.env["PATH"] ?? "", HOME: newHome() },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const { error } = JSON.parse(await new Response(child.stderr).text());
  expect(error.hint).toBe(`dispatch forget --home '${home}' @a --yes`);
  expect(existsSync(join(home, "registry.db"))).toBe(false);
});
