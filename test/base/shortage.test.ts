import { expect, test } from "bun:test";
import { join } from "node:path";
import { refuseShortage } from "../../src/base/shortage.ts";

test("only a lack of file descriptors is one", () => {
  for (const code of ["EMFILE", "ENFILE"])
    expect(() => refuseShortage(Object.assign(new Error("no"), { code }))).toThrow("too many files are open");
  for (const thrown of [Object.assign(new Error("no"), { code: "ENOENT" }), new Error("no"), null, "no"])
    refuseShortage(thrown);
});

const isLinux = process.platform === "linux";
test.skipIf(!isLinux)("a process that has none left learns nothing of another one, and says so", async () => {
  const source = join(import.meta.dir, "../../src/base/process.ts");
  // Everything is loaded and used once before the descriptors are taken.
  const program = `
    import { openSync, closeSync } from "node:fs";
    import { systemProcesses as of } from ${JSON.stringify(source)};
    const ask = () => ["parentOf", "confinementOf", "environmentOf"].map((name) => {
      try { return of[name](process.ppid) === undefined ? "unknown" : "known"; } catch (thrown) { return thrown.code; }
    });
    const before = ask();
    const taken = [];
    try { for (;;) taken.push(openSync("/dev/null", "r")); } catch {}
    const without = ask();
    closeSync(taken.pop());
    process.stdout.write(JSON.stringify([before, without]));`;
  const child = Bun.spawn(["sh", "-c", 'ulimit -n 256; "$0" -e "$1"', process.execPath, program], {
    stdout: "pipe",
  });
  expect(JSON.parse(await new Response(child.stdout).text())).toEqual([
    ["known", "known", "known"],
    ["overloaded", "overloaded", "overloaded"],
  ]);
});
