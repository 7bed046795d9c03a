/** The words of the Python original that the command line takes beside its own. */
import { expect, test } from "bun:test";
import { index } from "../../../src/ops/index.ts";
import { fieldsOf, inputFrom } from "../../../src/surface/cli/args.ts";
import { globalFlags } from "../../../src/surface/cli/globals.ts";
import { ownWords, routeOf } from "../../../src/surface/cli/route.ts";
import { treeOf } from "../../../src/surface/cli/tree.ts";

const tree = treeOf(index);

async function read(...given: string[]) {
  const route = routeOf(ownWords(given, index), tree);
  if (!("command" in route)) throw new Error(`${given} names no command`);
  const op = (await route.command.row!.load()).default;
  return { command: route.command.meta.name, input: await inputFrom(route.args, fieldsOf(op), globalFlags) };
}

test("--lane is --thread, and --delivery is --deliver", async () => {
  expect(await read("inbox", "list", "--lane", "@docs")).toEqual({
    command: "inbox list",
    input: { thread: "@docs" },
  });
  expect((await read("trigger", "add", "--lane=@docs", "--name", "x")).input).toEqual({
    thread: "@docs",
    name: "x",
  });
  expect((await read("subscribe", "@docs", "--delivery", "inbox")).input).toEqual({
    threads: ["@docs"],
    deliver: "inbox",
  });
});

test("a flag and its other name are the same flag given twice", () => {
  expect(read("inbox", "list", "--lane", "@a", "--thread", "@b")).rejects.toThrow("is given twice");
});

test("delivery get and delivery reconcile are the commands of receipt", async () => {
  expect(await read("delivery", "get", "r1")).toEqual({ command: "receipt get", input: { id: "r1" } });
  expect((await read("delivery", "reconcile", "r1")).command).toBe("receipt reconcile");
  expect(read("delivery", "list")).rejects.toThrow("unknown command");
});

test("--subscribe takes a word in the form key:value, and no other word", async () => {
  const input = async (...words: string[]) => (await read("new", "--name", "x", ...words)).input;
  expect(await input("--subscribe")).toEqual({ name: "x", subscribe: true });
  expect(await input("--no-subscribe")).toEqual({ name: "x", subscribe: false });
  expect(await input("--subscribe", "when:failed,delivery:inbox")).toEqual({
    name: "x",
    subscribe: "when:failed,delivery:inbox",
  });
  expect(await input("--subscribe=when:any")).toEqual({ name: "x", subscribe: "when:any" });
  expect(await input("--subscribe", "--text", "fix: it")).toEqual({
    name: "x",
    subscribe: true,
    text: "fix: it",
  });
});
