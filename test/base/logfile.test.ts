import { expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { DispatchError } from "../../src/base/error.ts";
import { openLogFile } from "../../src/base/logfile.ts";

const scratch = () => join(mkdtempSync(join(tmpdir(), "log ü ")), "daemon.log");
const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("a line is one JSON object with time, level, message and fields, in a file that is 0600", () => {
  const path = scratch();
  const log = openLogFile({ path, clock: { ...systemClock, now: () => 0 } });
  log.info("the child is up", { pid: 7, level: "cannot be overwritten" });
  log.close();
  expect(linesOf(path)).toEqual([
    { at: "1970-01-01T00:00:00.000Z", level: "info", message: "the child is up", pid: 7 },
  ]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("secrets and what a terminal would obey never reach the file", () => {
  const path = scratch();
  const log = openLogFile({ path, clock: systemClock });
  log.error("refused: Bearer abc.123\u001b[2J\u202e", { env: { token: "t0p" } });
  log.close();
  const raw = readFileSync(path, "utf8");
  expect(raw).not.toMatch(/abc\.123|t0p|\u001b|\u202e/);
  expect(raw.split("\n")).toHaveLength(2);
});

test("a full file is rotated and no more files than agreed are kept", () => {
  const path = scratch();
  const log = openLogFile({ path, clock: systemClock, bytesMax: 1000, filesKept: 3 });
  for (let n = 0; n < 100; n++) log.info("line", { n });
  log.close();
  for (const file of [path, `${path}.1`, `${path}.2`]) expect(statSync(file).size).toBeLessThanOrEqual(1000);
  expect(existsSync(`${path}.3`)).toBe(false);
  const kept = [`${path}.2`, `${path}.1`, path].flatMap(linesOf).map((line) => line.n);
  expect(kept.at(-1)).toBe(99);
  expect(kept).toEqual(kept.map((_, at) => kept[0] + at));
});

test("the tail reaches back into the rotated file", () => {
  const path = scratch();
  const log = openLogFile({ path, clock: systemClock, bytesMax: 400, filesKept: 2 });
  for (let n = 0; n < 9; n++) log.info("line", { n });
  const tail = log.tail(7).map((line) => JSON.parse(line).n);
  expect(tail).toEqual([2, 3, 4, 5, 6, 7, 8]);
  log.close();
});

test("a full disk costs lines, never an exception, and the log says how many when it can write again", async () => {
  // A process with a file size limit: its writes fail with EFBIG once the limit is reached, as with a full disk.
  const path = scratch();
  const code = `
    process.on("SIGXFSZ", () => {});
    const { openLogFile } = await import(${JSON.stringify(new URL("../../src/base/logfile.ts", import.meta.url).pathname)});
    const { systemClock } = await import(${JSON.stringify(new URL("../../src/base/clock.ts", import.meta.url).pathname)});
    const { truncateSync } = await import("node:fs");
    const log = openLogFile({ path: ${JSON.stringify(path)}, clock: systemClock });
    for (let n = 0; n < 40; n++) log.info("x".repeat(100), { n });
    truncateSync(${JSON.stringify(path)}, 0);
    log.info("space again");
    console.log("alive");`;
  const child = Bun.spawn(["bash", "-c", 'ulimit -f 2; exec "$0" -e "$1"', process.execPath, code], {
    stdout: "pipe",
    stderr: "pipe",
  });
  expect((await child.stdout.text()).trim()).toBe("alive");
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.message)).toEqual([
    "log lines were dropped: they could not be written",
    "space again",
  ]);
  expect(lines[0].lines).toBeGreaterThan(10);
});

test("a log that cannot be opened is a storage error that names it", () => {
  const open = () => openLogFile({ path: "/no/such/place/daemon.log", clock: systemClock });
  expect(open).toThrow(DispatchError);
  expect(open).toThrow("/no/such/place/daemon.log");
});
