/** The C library by bun:ffi: for what the runtime has no call for (flock, peer credentials). */
import { dlopen, type FFIFunction, read } from "bun:ffi";
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
 * Opens `errno`. Ask for it before the call whose failure it explains: opening it in between, like anything else
 * the runtime does there, may overwrite the number.
 */
export function openErrno(): () => number {
  const name = process.platform === "darwin" ? "__error" : "__errno_location";
  const where = libc({ [name]: { args: [], returns: "ptr" } })[name]!;
  return () => {
    const address = where();
    return address === null ? 0 : read.i32(address);
  };
}
