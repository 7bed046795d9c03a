/**
 * The C library by bun:ffi: for what the runtime has no call for (flock, peer credentials), or takes longer for in a new
 * process (a connection, the owner of a file).
 */
import { dlopen, type FFIFunction, type Pointer, read } from "bun:ffi";
import { errorMessage, fail } from "./error.ts";

/** musl's own name comes last: on glibc systems that file, when present at all, is a linker script. */
const names =
  process.platform === "darwin"
    ? ["libSystem.B.dylib"]
    : ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

/** Opens the functions named; 0.2 to 0.5 ms (measured), so callers keep what they got. */
export function libc<const S extends Record<string, FFIFunction>>(symbols: S) {
  const tried: string[] = [];
  for (const name of names) {
    try {
      return dlopen(name, symbols).symbols;
    } catch (cause) {
      tried.push(errorMessage(cause));
    }
  }
  return fail("internal", `the C library could not be opened: ${tried.join("; ")}`);
}

/**
 * The same with `errno` of the call before. All are opened at once: to open something in between, like anything else the
 * runtime does there, may overwrite the number.
 */
export function libcWithErrno<const S extends Record<string, FFIFunction>>(symbols: S) {
  const where = process.platform === "darwin" ? "__error" : "__errno_location";
  const opened = libc<Record<string, FFIFunction>>({ ...symbols, [where]: { args: [], returns: "ptr" } });
  const addressOf = opened[where] as unknown as () => Pointer | null;
  return {
    functions: opened as unknown as ReturnType<typeof libc<S>>,
    errno(): number {
      const address = addressOf();
      return address === null ? 0 : read.i32(address);
    },
  };
}
