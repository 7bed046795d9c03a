import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { DispatchError } from "../../src/base/error.ts";
import { findCodex } from "../../src/codex/find.ts";
import { codexExecutable } from "../support/codex.ts";

const root = resolve(import.meta.dir, "../..");
let folder: string;
beforeEach(() => {
  folder = join(root, ".scratch", `find-${crypto.randomUUID()}`);
  mkdirSync(folder, { recursive: true });
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(path: string, mode = 0o755): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, "#!/bin/sh\n");
  chmodSync(whole, mode);
  return whole;
}

const native = join(
  `codex-${process.platform}-${process.arch}`,
  codexExecutable().slice(codexExecutable().indexOf("vendor")),
);
const refusal = (wanted: Parameters<typeof findCodex>[0]): Promise<DispatchError> =>
  findCodex(wanted).then(
    (path) => Promise.reject(new Error(`found ${path}`)),
    (thrown: DispatchError) => thrown,
  );

describe("findCodex", () => {
  test("DISPATCH_CODEX goes before the configured path, and that before PATH", async () => {
    const [named, configured] = [file("named"), file("configured")];
    const onPath = file("bin/codex");
    const path = `/nowhere:relative:${dirname(onPath)}`;
    expect(await findCodex({ named, configured, path })).toBe(named);
    expect(await findCodex({ configured, path })).toBe(configured);
    expect(await findCodex({ named: "", path })).toBe(onPath);
  });

  test("npm's wrapper is looked through, whether the platform's package lies beside it or inside it", async () => {
    for (const modules of [
      "lib/node_modules/@openai",
      "lib/node_modules/@openai/codex/node_modules/@openai",
    ]) {
      const wrapper = file("lib/node_modules/@openai/codex/bin/codex.js");
      const wanted = file(join(modules, native));
      mkdirSync(join(folder, "bin"), { recursive: true });
      symlinkSync(wrapper, join(folder, "bin/codex"));
      expect(await findCodex({ path: join(folder, "bin") })).toBe(wanted);
      rmSync(join(folder, "bin"), { recursive: true });
      rmSync(join(folder, "lib"), { recursive: true });
    }
  });

  test("the real wrapper leads to the real executable", async () => {
    const found = await findCodex({ path: join(root, "node_modules/.bin") });
    expect(found).toBe(realpathSync(codexExecutable()));
  });

  test("a version manager's shim is run under its own name, not followed to the manager", async () => {
    const manager = file("manager/mise");
    writeFileSync(manager, '#!/bin/sh\nbasename "$0"\n');
    mkdirSync(join(folder, "shims"));
    const shim = join(folder, "shims/codex");
    symlinkSync(manager, shim);
    for (const wanted of [{ path: join(folder, "shims") }, { named: shim }, { configured: shim }]) {
      const found = await findCodex(wanted);
      expect(found).toBe(shim);
      const child = Bun.spawn([found], { stdout: "pipe" });
      expect((await new Response(child.stdout).text()).trim()).toBe("codex");
    }
  });

  test("a folder called codex on PATH is passed by", async () => {
    mkdirSync(join(folder, "a/codex"), { recursive: true });
    const wanted = file("b/codex");
    expect(await findCodex({ path: `${join(folder, "a")}:${join(folder, "b")}` })).toBe(wanted);
  });

  test("what is missing is named, with what to do", async () => {
    expect((await refusal({ path: folder })).body).toMatchObject({
      code: "agent_down",
      message: "codex is not installed: no executable `codex` on PATH",
      data: { outcome: "not_sent" },
    });
    const error = await refusal({ named: join(folder, "none") });
    expect(error.message).toContain(join(folder, "none"));
    expect(error.message).toContain("DISPATCH_CODEX");
    expect(error.hint).not.toBeNull();
  });

  test("a file that is not executable is named so, and never passed over for PATH", async () => {
    file("bin/codex");
    const error = await refusal({ named: file("plain", 0o644), path: join(folder, "bin") });
    expect(error.message).toContain("is not executable");
  });

  test("a wrapper without its native executable says where it looked", async () => {
    const error = await refusal({ named: file("lib/@openai/codex/bin/codex.js") });
    expect(error.message).toContain(join(folder, "lib/@openai", native));
  });
});
