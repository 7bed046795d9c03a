/** A repository's configuration file on a real disk: where it is looked for, what its paths mean, whom it is believed. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { DispatchError } from "../../src/base/error.ts";
import { limits } from "../../src/base/limits.ts";
import { readConfig, readTextFile } from "../../src/daemon/config.ts";
import { isWithin } from "../../src/daemon/containment.ts";
import { configFiles, tablesOf } from "../../src/daemon/tables.ts";

let base: string;
let homes: { home: string; dispatch: string };
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "tables-")));
  homes = { home: join(base, "me"), dispatch: join(base, "me/.dispatch") };
});
afterEach(() => rmSync(base, { recursive: true }));

function put(path: string, text = ""): string {
  const file = join(base, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function found(directory: string, uid?: number) {
  const file = join(homes.dispatch, "config.toml");
  const { defaults, presets, policy } = readConfig(file);
  return configFiles(
    tablesOf(file, { defaults, presets }, homes.home),
    policy.trusted,
    join(base, directory),
    homes,
    uid,
  );
}

test("the nearest file up to the repository's root is taken, and none above it", () => {
  put("work/.dispatch/config.toml", '[defaults]\nmodel = "outside"\n');
  put("work/repo/.git/HEAD");
  put("work/repo/a/b/x");
  expect(found("work/repo/a/b").repository).toBeNull();
  put("work/repo/.dispatch/config.toml", '[defaults]\nmodel = "root"\n');
  expect(found("work/repo/a/b").repository?.defaults).toEqual({ model: "root" });
  put("work/repo/a/.dispatch/config.toml", '[defaults]\nmodel = "near"\n');
  expect(found("work/repo/a/b").repository).toMatchObject({
    defaults: { model: "near" },
    confinedTo: join(base, "work/repo"),
  });
});

test("without a repository only the directory itself is looked in", () => {
  put("tmp/.dispatch/config.toml", '[defaults]\nmodel = "anybody"\n');
  put("tmp/src/x");
  mkdirSync(join(base, "tmp/.git"));
  expect(found("tmp/src").repository, "an empty .git makes no repository").toBeNull();
  expect(found("tmp").repository).toMatchObject({ confinedTo: join(base, "tmp") });
});

test("another user's file is passed over, whether the folder or the file is his", () => {
  put("work/repo/.git/HEAD");
  put("work/repo/.dispatch/config.toml", '[defaults]\nmodel = "mine"\n');
  const file = put("work/repo/a/.dispatch/config.toml", '[defaults]\nmodel = "another\'s"\n');
  const isRoot = process.getuid!() === 0;
  const another = isRoot ? 4242 : process.getuid!();
  for (const path of [file, dirname(file)]) {
    if (isRoot) chownSync(path, another, another);
    expect(found("work/repo/a", another + 1).repository?.defaults).toEqual(
      isRoot ? { model: "mine" } : undefined,
    );
    expect(found("work/repo/a", another).repository?.defaults).toEqual({ model: "another's" });
    if (isRoot) chownSync(path, 0, 0);
  }
});

test("a file that is there and cannot be looked at is an error, and not no file", () => {
  put("work/repo/.git/HEAD");
  mkdirSync(join(base, "work/repo/.dispatch"));
  symlinkSync("config.toml", join(base, "work/repo/.dispatch/config.toml"));
  expect(() => found("work/repo")).toThrow("work/repo/.dispatch/config.toml");
});

test("a file that leads out of its repository, never ends or is too large is refused and not read", () => {
  put("work/repo/.git/HEAD");
  const file = put("work/repo/.dispatch/config.toml");
  const refusal = () => {
    try {
      return found("work/repo");
    } catch (thrown) {
      return (thrown as DispatchError).body;
    }
  };
  const becomes = (make: () => void, words: string) => {
    rmSync(file);
    make();
    expect(refusal()).toMatchObject({ code: "usage", message: expect.stringContaining(words) });
    expect(refusal()).toMatchObject({ message: expect.stringContaining(file) });
  };
  becomes(() => symlinkSync("/dev/null", file), "is a link to a file outside its repository");
  becomes(() => symlinkSync(put("work/other.toml"), file), "is a link to a file outside its repository");
  becomes(() => Bun.spawnSync(["mkfifo", file]), "not a regular file");
  becomes(() => writeFileSync(file, "#".repeat(limits.config.repositoryBytesMax + 1)), "over 16 KiB");
  writeFileSync(file, "#".repeat(limits.config.repositoryBytesMax));
  expect(found("work/repo").repository).not.toBeNull();
});

test("a text is read from a regular file only, whatever its size says", () => {
  const text = put("text.md", "\ufeffwörds");
  expect(readTextFile(text)).toBe("\ufeffwörds");
  const pipe = join(base, "pipe");
  Bun.spawnSync(["mkfifo", pipe]);
  for (const path of [pipe, "/dev/zero", base])
    expect(() => readTextFile(path)).toThrow("not a regular file");
  writeFileSync(text, "a".repeat(limits.input.textBytesMax + 1));
  expect(() => readTextFile(text)).toThrow("over 1 MiB");
});

test("neither the user's home nor dispatch's own folder is a repository", () => {
  put("me/.dispatch/config.toml", '[defaults]\nmodel = "mine"\n');
  put("me/src/x");
  expect(found("me/src")).toMatchObject({ own: { defaults: { model: "mine" } }, repository: null });
  homes.dispatch = join(base, "elsewhere");
  expect(found("me/src").repository).toBeNull();
});

test("paths are relative to the file they stand in, ~ is the user's home, and a text may stand in a file", () => {
  const file = put(
    "me/.dispatch/config.toml",
    '[presets.reviewer]\ncwd = "~/src"\ndeveloper_instructions_file = "reviewer.md"\nconfig = { model_verbosity = "low" }\n[presets.old]\nconfig = ["a.b=1", "c=x"]\n',
  );
  const { presets } = found("me").own;
  expect(presets["reviewer"]).toEqual({
    cwd: join(base, "me/src"),
    developer_instructions: { file: join(dirname(file), "reviewer.md") },
    "config.model_verbosity": "low",
  });
  expect(presets["old"]).toEqual({ "config.a.b": 1, "config.c": "x" });
});

test("a repository is trusted when it lies in a trusted folder, links followed", () => {
  put("work/repo/.git/HEAD");
  put("work/repo/.dispatch/config.toml", "");
  symlinkSync(join(base, "work"), join(base, "link"));
  put("me/.dispatch/config.toml", `[policy]\ntrusted = ["${join(base, "link")}"]\n`);
  expect(found("work/repo").repository?.confinedTo).toBeNull();
  put("me/.dispatch/config.toml", '[policy]\ntrusted = ["~/work"]\n');
  expect(found("work/repo").repository?.confinedTo).toBe(join(base, "work/repo"));
});

test("a link inside a repository that leads out of it is outside", () => {
  put("work/repo/x");
  put("work/secret.md");
  symlinkSync(join(base, "work/secret.md"), join(base, "work/repo/inside.md"));
  const repo = join(base, "work/repo");
  expect(isWithin(join(repo, "inside.md"), repo)).toBe(false);
  expect(isWithin(join(repo, "x"), repo)).toBe(true);
  expect(isWithin(join(repo, "../secret.md"), repo)).toBe(false);
  expect(isWithin(join(repo, "not/there/yet"), repo)).toBe(true);
  expect(isWithin(`${repo}-2/x`, repo)).toBe(false);
});

for (const [text, words] of [
  ["[policy]\nattached_queue = true\n", [":1:", '"policy"']],
  ["[defaults]\nname = 'x'\n", [":2:", '"defaults.name"']],
  ["[defaults]\nmodle = 'x'\n", [":2:", 'did you mean "model"']],
  [
    "[presets.a]\neffort = 'low'\n[presets.b]\nefort = 'low'\n",
    [":4:", "presets.b.efort", 'did you mean "effort"'],
  ],
  ["[presets.a]\npreset = ['b']\n", ["presets.a.preset"]],
  ["[defaults]\nsandbox = 'none'\n", [":2:", "defaults.sandbox"]],
  ["[defaults]\ntext = 'a'\ntext_file = 'b'\n", ["both text and text_file"]],
  ["[defaults\n", ["config.toml"]],
] as const) {
  test(`a repository's file that says ${JSON.stringify(text)} is refused, and where`, () => {
    put("work/repo/.git/HEAD");
    put("work/repo/.dispatch/config.toml", text);
    for (const word of words) expect(() => found("work/repo")).toThrow(word);
  });
}
