/**
 * Confirms that transactions which did not wait for the disk are on it: one fdatasync of the write-ahead log, beside
 * the loop. All that are waited for at one moment share it.
 */
import { closeSync, fdatasync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

export interface WalSync {
  /** A transaction was committed without a sync. */
  wrote(): void;
  /** Resolves when all of them so far are on disk. Rejects with the system's error. */
  synced(): Promise<void>;
  close(): void;
}

/**
 * `database`: its path; a registry in memory has no file. `checkpoint` writes all that is in the log into the database,
 * and throws when it could not.
 */
export function walSync(
  database: string,
  checkpoint: () => void,
  syncFile: (file: number) => Promise<void> = promisify(fdatasync),
): WalSync {
  const isFile = database !== "" && database !== ":memory:";
  let file: number | undefined;
  /** Both count transactions. What a checkpoint moved out of the log was synced by SQLite before. */
  let written = 0;
  let onDisk = 0;
  let running: Promise<void> | undefined;
  /**
   * A sync has failed. The kernel may have dropped what it could not write, and says so only once: the next sync would
   * succeed with nothing on the disk. So the rows are written anew, into the database.
   */
  let isDoubtful = false;

  async function sync(): Promise<void> {
    const upTo = written;
    if (isDoubtful) checkpoint();
    else {
      isDoubtful = true;
      file ??= openLog(database);
      await syncFile(file);
    }
    isDoubtful = false;
    onDisk = upTo;
  }

  return {
    wrote() {
      written++;
    },
    async synced() {
      const mine = written;
      while (isFile && onDisk < mine) {
        running ??= sync().finally(() => {
          running = undefined;
        });
        await running;
      }
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

/** The log exists as long as the database is open. SQLite locks other files, so this one may be closed again. */
function openLog(database: string): number {
  const folder = openSync(dirname(database), "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
  return openSync(`${database}-wal`, "r");
}
