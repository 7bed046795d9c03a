/** What the kernel says of the other end of a unix connection: which process it is, and whether it has written. */
import { type Pointer, ptr } from "bun:ffi";
import { fail } from "./error.ts";
import { libc, libcWithErrno } from "./libc.ts";

export interface Peer {
  uid: number;
  /** As this process sees it; 0 where the peer is in a pid namespace that this one cannot see. */
  pid: number;
}

/** The process that connected, or that listens. Throws `internal` when the kernel does not say: then nobody is trusted. */
export function peerOf(fd: number): Peer {
  ask ??= process.platform === "darwin" ? darwinAsk() : linuxAsk();
  return ask(fd);
}

let ask: ((fd: number) => Peer) | undefined;

/** Whether bytes have come that nobody has read yet. */
export function hasUnread(fd: number): boolean {
  recv ??= libc({ recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" } }).recv;
  const peek = 2;
  const dontWait = process.platform === "darwin" ? 0x80 : 0x40;
  return recv(fd, ptr(new Uint8Array(1)), 1, peek | dontWait) > 0;
}

let recv: ((fd: number, into: Pointer, length: number, flags: number) => number | bigint) | undefined;

function linuxAsk(): (fd: number) => Peer {
  const { functions, errno } = libcWithErrno({
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  });
  const { getsockopt } = functions;
  const solSocket = 1;
  const soPeercred = 17;
  return (fd) => {
    // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
    const credentials = new Uint32Array(3);
    const length = new Uint32Array([credentials.byteLength]);
    if (getsockopt(fd, solSocket, soPeercred, ptr(credentials), ptr(length)) !== 0) silent(errno());
    return { pid: credentials[0]!, uid: credentials[1]! };
  };
}

/** Not exercised: written from the manual pages of getpeereid(3) and unix(4). */
function darwinAsk(): (fd: number) => Peer {
  const { functions, errno } = libcWithErrno({
    getpeereid: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  });
  const { getpeereid, getsockopt } = functions;
  const solLocal = 0;
  const localPeerpid = 2;
  return (fd) => {
    const uid = new Uint32Array(1);
    const gid = new Uint32Array(1);
    if (getpeereid(fd, ptr(uid), ptr(gid)) !== 0) silent(errno());
    const pid = new Uint32Array(1);
    const length = new Uint32Array([pid.byteLength]);
    if (getsockopt(fd, solLocal, localPeerpid, ptr(pid), ptr(length)) !== 0) silent(errno());
    return { pid: pid[0]!, uid: uid[0]! };
  };
}

function silent(errno: number): never {
  fail("internal", `the kernel does not say who is at the other end of the connection (errno ${errno})`);
}
