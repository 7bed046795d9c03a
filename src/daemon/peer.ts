/** Who is at the other end of a unix connection, by the kernel's word. */
import { ptr } from "bun:ffi";
import { fail } from "../base/error.ts";
import { libc, openErrno } from "../base/libc.ts";

/** The uid of the process that connected. Throws `internal` when the kernel does not say: then nobody is let in. */
export function peerUid(fd: number): number {
  ask ??= process.platform === "darwin" ? darwinAsk() : linuxAsk();
  return ask(fd);
}

let ask: ((fd: number) => number) | undefined;

function linuxAsk(): (fd: number) => number {
  const { getsockopt } = libc({ getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" } });
  const errno = openErrno();
  const solSocket = 1;
  const soPeercred = 17;
  return (fd) => {
    // struct ucred { pid_t pid; uid_t uid; gid_t gid; }
    const credentials = new Uint32Array(3);
    const length = new Uint32Array([credentials.byteLength]);
    if (getsockopt(fd, solSocket, soPeercred, ptr(credentials), ptr(length)) !== 0)
      fail("internal", `the kernel does not say who connected (errno ${errno()})`);
    return credentials[1]!;
  };
}

/** Not exercised: written from the manual page of getpeereid(3). */
function darwinAsk(): (fd: number) => number {
  const { getpeereid } = libc({ getpeereid: { args: ["i32", "ptr", "ptr"], returns: "i32" } });
  const errno = openErrno();
  return (fd) => {
    const uid = new Uint32Array(1);
    const gid = new Uint32Array(1);
    if (getpeereid(fd, ptr(uid), ptr(gid)) !== 0)
      fail("internal", `the kernel does not say who connected (errno ${errno()})`);
    return uid[0]!;
  };
}
