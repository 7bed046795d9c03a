/**
 * A unix connection by blocking system calls, for a process that has nothing else to do meanwhile. The runtime's own
 * sockets take 0.6 ms longer to set up in a new process (measured).
 */
import { ptr } from "bun:ffi";
import { libcWithErrno } from "./libc.ts";
import { limits } from "./limits.ts";

export interface UnixSocket {
  fd: number;
  /** False when the other end has gone or does not take all bytes in time, or when a signal came. */
  send(bytes: Uint8Array): boolean;
  /** Waits for bytes; `timeoutMs` 0: without limit. Undefined: the other end has closed, or sent nothing in time. */
  receive(timeoutMs: number): Uint8Array | undefined;
  close(): void;
}

/** Numbers of <sys/socket.h>. Those of macOS are from its headers: not run. */
const numbers =
  process.platform === "linux"
    ? { solSocket: 1, receiveTimeout: 20, sendTimeout: 21, closeOnExec: 0o2000000 }
    : { solSocket: 0xffff, receiveTimeout: 0x1006, sendTimeout: 0x1005, closeOnExec: 0 };
const familyUnix = 1;
const typeStream = 1;
/** EINTR, of <errno.h>. A process that was stopped and continued gets it. */
const interrupted = 4;

/** Undefined when nothing at `path` takes the connection. `timeoutMs` is for the connect and for each send. */
export function connectUnix(path: string, timeoutMs: number): UnixSocket | undefined {
  const { functions, errno } = libcWithErrno({
    socket: { args: ["i32", "i32", "i32"], returns: "i32" },
    connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
    send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
    close: { args: ["i32"], returns: "i32" },
  });
  const fd = functions.socket(familyUnix, typeStream | numbers.closeOnExec, 0);
  if (fd < 0) return undefined;

  const limitWait = (option: number, ms: number) => {
    // struct timeval: seconds, then microseconds, in 64 bits each; on macOS the second has 32, and padding.
    const time = new Uint32Array([ms / 1000, 0, (ms % 1000) * 1000, 0]);
    return functions.setsockopt(fd, numbers.solSocket, option, ptr(time), time.byteLength) === 0;
  };
  const close = () => void functions.close(fd);

  const address = addressOf(path);
  if (
    !limitWait(numbers.sendTimeout, timeoutMs) ||
    functions.connect(fd, ptr(address), address.length) !== 0
  ) {
    close();
    return undefined;
  }

  let receiveTimeoutMs = 0;
  let buffer = new Uint8Array(0);
  return {
    fd,
    // A closed end causes no SIGPIPE: the runtime ignores that signal (measured).
    send: (bytes) => Number(functions.send(fd, ptr(bytes), bytes.length, 0)) === bytes.length,
    receive(timeoutMs) {
      if (timeoutMs !== receiveTimeoutMs && !limitWait(numbers.receiveTimeout, timeoutMs)) return undefined;
      receiveTimeoutMs = timeoutMs;
      // What was received stays a part of its buffer, so the rest of that is used first.
      if (buffer.length < limits.client.readBytesMin) buffer = new Uint8Array(limits.client.bufferBytes);
      for (;;) {
        const bytes = Number(functions.recv(fd, ptr(buffer), buffer.length, 0));
        if (bytes < 0 && errno() === interrupted) continue;
        if (bytes <= 0) return undefined;
        const received = buffer.subarray(0, bytes);
        buffer = buffer.subarray(bytes);
        return received;
      }
    },
    close,
  };
}

/** struct sockaddr_un. On Linux the family has the first two bytes; on macOS the length has the first of them. */
function addressOf(path: string): Uint8Array {
  const name = new TextEncoder().encode(path);
  const address = new Uint8Array(2 + name.length + 1);
  if (process.platform === "linux") address[0] = familyUnix;
  else address.set([address.length, familyUnix]);
  address.set(name, 2);
  return address;
}
