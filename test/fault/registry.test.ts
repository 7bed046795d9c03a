/** Keeping the registry: on a disk that is full, and killed at any moment. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { closeDb, openFile } from "../../src/store/db.ts";
import { inspectRegistry } from "../../src/store/inspect.ts";
import { supportedSchema } from "../../src/store/migrate.ts";
import { restore } from "../../src/store/restore.ts";
import { backUpRegistry, migrateRegistry } from "../../src/store/upkeep.ts";
import { until } from "../daemon/rig.ts";
import { filesIn, refusal, registryCalled, registryFolder, titleIn } from "../store/files.ts";
import { type Disk, smallDisk } from "../support/fault-disk.ts";

const probe = process.platform === "linux" ? smallDisk() : undefined;
probe?.unmount();

/** A registry of half a megabyte and a backup of it, on a disk with no room for another. */
function onFullDisk(act: (path: string, saved: string, disk: Disk) => void): void {
  const disk = smallDisk()!;
  try {
    const folder = join(disk.path, "registry");
    mkdirSync(folder, { mode: 0o700 });
    const path = join(folder, "registry.db");
    registryCalled(path, "then");
    const saved = backUpRegistry(path, 1);
    const db = openFile(path);
    db.run("UPDATE lanes SET title = 'now'");
    closeDb(db);
    disk.fill();
    act(path, saved, disk);
  } finally {
    disk.unmount();
  }
}

if (probe) {
  test("a backup, a migration or a restore that finds the disk full does nothing, and says so", () => {
    onFullDisk((path, saved, disk) => {
      const before = { bytes: readFileSync(path), files: filesIn(join(path, "..")) };
      const steps = [...Array<string>(supportedSchema).fill(""), "ALTER TABLE lanes ADD COLUMN colour TEXT;"];
      const attempts = {
        backup: () => backUpRegistry(path, 2),
        restore: () => restore(saved, path, 3),
        migrate: () => migrateRegistry(path, 4, { steps }),
      };
      for (const attempt of Object.values(attempts))
        expect(refusal(attempt)).toMatchObject({
          code: "storage",
          hint: expect.stringContaining("disk space"),
        });
      expect(readFileSync(path).equals(before.bytes)).toBe(true);
      expect(filesIn(join(path, "..")).filter((name) => !/-(wal|shm)$/.test(name))).toEqual(before.files);
      disk.free();
      for (const attempt of Object.values(attempts)) attempt();
      expect(titleIn(path)).toBe("then");
    });
  });
}

test("killed at any moment of a restore, the registry is the one or the other, whole", async () => {
  const { folder, path, dispose } = registryFolder();
  const [odd, even] = [join(folder, "odd.db"), join(folder, "even.db")];
  for (const [at, title] of [
    [odd, "odd"],
    [even, "even"],
  ] as const)
    registryCalled(at, title);
  restore(odd, path, 1);
  const code = `import { restore } from "${join(import.meta.dir, "../../src/store/restore.ts")}";
    for (let n = 2; ; n++) restore(n % 2 ? ${JSON.stringify(odd)} : ${JSON.stringify(even)}, ${JSON.stringify(path)}, Date.now() * 1000 + n);`;
  const seen = new Set<string | null>();
  for (let round = 0; round < 12; round++) {
    const count = () => filesIn(folder).filter((name) => name.includes(".replaced.")).length;
    const [before, more] = [count(), 1 + (round % 4)];
    const child = Bun.spawn([process.execPath, "-e", code], { stderr: "inherit" });
    await until(() => count() >= before + more, "restores under way");
    child.kill("SIGKILL");
    await child.exited;
    expect(inspectRegistry(path, "whole").faults).toEqual([]);
    seen.add(titleIn(path));
  }
  expect([...seen].every((title) => title === "odd" || title === "even")).toBe(true);
  dispose();
});
