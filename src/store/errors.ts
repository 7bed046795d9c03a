/** Translates SQLite's errors to the user's terms. */
import { SQLiteError } from "bun:sqlite";
import { DispatchError, errorMessage } from "../base/error.ts";

const words: Record<string, string> = {
  SQLITE_FULL: "the disk is full",
  // No room for the -shm that even a reader needs (measured: on a full tmpfs).
  SQLITE_IOERR_SHMSIZE: "the disk is full",
  SQLITE_READONLY: "it is read-only",
  SQLITE_IOERR: "the disk failed to read or write",
  SQLITE_BUSY: "another program holds it",
  SQLITE_CORRUPT: "it is damaged",
  SQLITE_NOTADB: "it is not a registry",
  SQLITE_CANTOPEN: "it cannot be opened",
};

/** `while_` completes the message: "while opening the registry". Any other error is returned unchanged. */
export function storageError(thrown: unknown, while_: string): unknown {
  if (!(thrown instanceof SQLiteError)) return thrown;
  const code = thrown.code ?? "";
  if (code.startsWith("SQLITE_CONSTRAINT")) return thrown;
  const family = Object.keys(words).find((name) => code.startsWith(name));
  const what = family ? words[family] : errorMessage(thrown);
  return new DispatchError("storage", `the registry: ${what}, while ${while_}`, {
    hint: what === words["SQLITE_FULL"] ? roomHint : "dispatch doctor",
    data: { sqlite: code },
    cause: thrown,
  });
}

/** The same for the files around the registry. */
export function fileError(thrown: unknown, while_: string): unknown {
  const known = storageError(thrown, while_);
  const { code } = thrown as NodeJS.ErrnoException;
  if (known !== thrown || thrown instanceof DispatchError || code === undefined) return known;
  return new DispatchError("storage", `${errorMessage(thrown)}, while ${while_}`, {
    ...(code === "ENOSPC" ? { hint: roomHint } : {}),
    cause: thrown,
  });
}

const roomHint = "free some disk space, then try again";
