/**
 * Whether the daemon at the other end is the user's own. The same checks as the daemon makes of its clients: a socket in
 * a directory that somebody else can write may be anybody's, and would be given texts and believed.
 */
import { DispatchError, errorMessage } from "../base/error.ts";
import { type Peer, peerOf } from "../base/peer.ts";
import { ownUid, privacyFault } from "../base/privacy.ts";

/** Asked while the connect is under way. `stat` follows links: the home may be spelled through one. */
export async function directoryTrust(socket: string, uid = ownUid()): Promise<DispatchError | undefined> {
  const directory = socket.slice(0, socket.lastIndexOf("/")) || "/";
  try {
    return privacyFault(directory, await Bun.file(directory).stat(), uid);
  } catch {
    // It is not there, and so is no daemon: the connect says the same.
    return undefined;
  }
}

/** `socket` is connected. Where the kernel does not say whose it is, that is a fault too. The runtime has the descriptor, and its types do not (measured). */
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
  return new DispatchError("denied", `the daemon there runs as uid ${daemon.uid}, and you are uid ${uid}`, {
    hint: "set DISPATCH_HOME to a directory of your own",
  });
}
