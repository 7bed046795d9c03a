/**
 * Checks that the daemon at the other end belongs to this user. The daemon makes the same checks of its clients. In a
 * directory that another user can write, the socket may be that user's: it would receive texts and its answers would
 * be trusted.
 */
import { DispatchError, errorMessage } from "../base/error.ts";
import { ownedAt } from "../base/owned.ts";
import { type Peer, peerOf } from "../base/peer.ts";
import { ownUid, privacyFault } from "../base/privacy.ts";

/** Without the directory there is no daemon: the connect reports that. The path of the home may contain a link. */
export function directoryTrust(socket: string, uid = ownUid()): DispatchError | undefined {
  const directory = socket.slice(0, socket.lastIndexOf("/")) || "/";
  const found = ownedAt(directory);
  return found && privacyFault(directory, found, uid);
}

/**
 * `socket` is connected. It is a fault too when the kernel does not report the peer's uid. Bun's socket has a file
 * descriptor that its types do not declare (measured).
 */
export function peerTrust(
  socket: object,
  uid = ownUid(),
  processOf: (fd: number) => Peer = peerOf,
): DispatchError | undefined {
  let daemon: Peer;
  try {
    daemon = processOf((socket as { fd: number }).fd);
  } catch (thrown) {
    return thrown instanceof DispatchError ? thrown : new DispatchError("internal", errorMessage(thrown));
  }
  if (daemon.uid === uid) return undefined;
  return new DispatchError("denied", `the daemon runs as uid ${daemon.uid}, and you are uid ${uid}`, {
    hint: "set DISPATCH_HOME to a directory of your own",
  });
}
