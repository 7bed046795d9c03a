import { expect, test } from "bun:test";
import { join } from "node:path";
import { DispatchError } from "../../../src/base/error.ts";
import { fieldsOf, inputFrom } from "../../../src/surface/cli/args.ts";
import { globalFlags } from "../../../src/surface/cli/globals.ts";
import { checkedInput } from "../../../src/surface/input.ts";
import { ops } from "../support/ops.ts";
import { newHome } from "../support/run.ts";

const read = (command: string, ...words: string[]) => inputFrom(words, fieldsOf(ops[command]!), globalFlags);

async function errorOf(work: () => unknown): Promise<DispatchError> {
  try {
    await work();
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error("nothing was refused");
}

test("positionals fill in the order of the schema, and a list takes the rest", async () => {
  expect(await read("send", "@docs", "hello")).toEqual({ thread: "@docs", text: "hello" });
  expect(await read("watch", "a", "b", "c")).toEqual({ threads: ["a", "b", "c"] });
});

test("flags are the kebab-case of fields", async () => {
  expect(
    await read("send", "@docs", "x", "--idempotency-key", "k", "--no-queue", "--priority", "-2"),
  ).toEqual({
    thread: "@docs",
    text: "x",
    idempotency_key: "k",
    queue: false,
    priority: -2,
  });
});

test("a text may be a flag or a file in place of its positional", async () => {
  const file = join(newHome(), "text");
  await Bun.write(file, "line\r\n\ttwo\n");
  expect(await read("send", "@docs", "--text", "x")).toEqual({ thread: "@docs", text: "x" });
  expect(await read("send", "@docs", "--text-file", file)).toEqual({
    thread: "@docs",
    text: "line\r\n\ttwo\n",
  });
});

test("a file that holds one dash is that text", async () => {
  const file = join(newHome(), "dash");
  await Bun.write(file, "-");
  expect(await read("send", "@docs", "--text-file", file)).toEqual({ thread: "@docs", text: "-" });
});

test("a file is read byte for byte: a byte order mark stays, ill-formed UTF-8 is refused", async () => {
  const home = newHome();
  await Bun.write(join(home, "bom"), new Uint8Array([0xef, 0xbb, 0xbf, 0x61]));
  await Bun.write(join(home, "bad"), new Uint8Array([0x61, 0xff, 0x62]));
  expect(await read("send", "@a", "--text-file", join(home, "bom"))).toEqual({
    thread: "@a",
    text: "\ufeffa",
  });
  const error = await errorOf(() => read("send", "@a", "--text-file", join(home, "bad")));
  expect(error.code).toBe("usage");
  expect(error.message).toEndWith("is not well-formed UTF-8");
});

test("a file over the limit is too large, one that is not there is named", async () => {
  const home = newHome();
  await Bun.write(join(home, "big"), "x".repeat(1024 * 1024 + 1));
  expect((await errorOf(() => read("send", "@a", "--text-file", join(home, "big")))).code).toBe("too_large");
  expect((await errorOf(() => read("send", "@a", "--text-file", join(home, "none")))).message).toContain(
    `could not read ${home}/none`,
  );
});

const refused: [command: string, words: string[], message: string][] = [
  ["get", ["a", "b"], 'unexpected "b": all arguments have a value already'],
  ["send", ["@a", "x", "y"], 'unexpected "y": all arguments have a value already'],
  ["send", ["@a", "--text", "x", "y"], 'unexpected "y": all arguments have a value already'],
  ["send", ["@a", "--text", "x", "--text-file", "/f"], "--text and --text-file exclude each other"],
  ["send", ["@a", "-", "--intro", "-"], "<text> and --intro cannot both read standard input"],
  ["list", ["--jsn"], "unknown flag --jsn; did you mean --json?"],
];
for (const [command, words, message] of refused) {
  test(`refuses ${command} ${words.join(" ")}`, async () => {
    const error = await errorOf(() => read(command, ...words));
    expect(error.code).toBe("usage");
    expect(error.message).toBe(message);
  });
}

const spelled = (name: string) =>
  fieldsOf(ops["send"]!).find((field) => field.name === name)?.spelled ?? name;
const check = (input: Record<string, unknown>) => checkedInput(ops["send"]!, input, spelled, "/here");

test("the client fills in absolute paths and an idempotency key", () => {
  const { input } = check({ thread: "@a", text: "x", schema_path: "s.json" });
  expect(input).toMatchObject({ schema_path: "/here/s.json" });
  expect(input).not.toHaveProperty("cwd");
  expect(input["idempotency_key"]).toMatch(/^[0-9a-z]{24}$/);
  expect(check({ thread: "@a", text: "x", cwd: "../there" }).input["cwd"]).toBe("/there");
});

test("a given idempotency key is kept", () => {
  expect(check({ thread: "@a", text: "x", idempotency_key: "mine" }).input["idempotency_key"]).toBe("mine");
});

const complaints: [input: Record<string, unknown>, message: string][] = [
  [{ text: "x" }, "missing <thread>"],
  [{ thread: "@a" }, "missing <text>"],
  [{ thread: "", text: "x" }, "<thread>: must not be empty"],
  [{ thread: "@a", text: "\ud800" }, "<text>: the text is not well-formed Unicode (a lone surrogate)"],
  [{ thread: "@a", text: "x", mode: "steer" }, '--mode: must be one of send, queue, not "steer"'],
  [
    { thread: "@a", text: "x", idempotency_key: "k".repeat(201) },
    "--idempotency-key: must be at most 200 bytes, not 201",
  ],
  [{ thread: "@a", text: "x", queue: "yes" }, '--queue: must be a boolean, not "yes"'],
  [{ thread: "@a", text: "x", prority: 1 }, 'unknown field "prority"'],
];
for (const [input, message] of complaints) {
  test(`complains in the caller's words: ${message}`, async () => {
    const error = await errorOf(() => check(input));
    expect(error.code).toBe("usage");
    expect(error.message).toBe(message);
  });
}

test("a text over 1 MiB is too large before anything is asked", async () => {
  expect((await errorOf(() => check({ thread: "@a", text: "ä".repeat(600_000) }))).code).toBe("too_large");
});
