/**
 * What waits to be taken by one client. `socket.write` says how many bytes the kernel took; the rest stays here
 * until `drain`. Bounded: who does not read is cut, so that one stalled terminal never costs the daemon its memory.
 */
import { limits } from "../base/limits.ts";

export interface Outbound {
  send(line: string): void;
  /** The socket takes bytes again. */
  drain(): void;
  /** Resolves when little is waiting, or when the client is gone. */
  room(): Promise<void>;
  /** Resolves when nothing is waiting, or when the client is gone. */
  empty(): Promise<void>;
  /** The client is gone. */
  close(): void;
}

const encoder = new TextEncoder();

export function outbound(to: {
  /** Bytes taken; negative when the socket is closed. */
  write(bytes: Uint8Array): number;
  /** Called once, when more waits than `limits.socket.outboundBytesMax`. */
  overflow(waitingBytes: number): void;
}): Outbound {
  let queue: Uint8Array[] = [];
  /** The first of the queue that is not taken yet: `shift` on a long array is linear. */
  let head = 0;
  let waitingBytes = 0;
  let isClosed = false;
  let waiters: { below: number; resolve: () => void }[] = [];

  const wake = () => {
    if (waiters.length === 0) return;
    const [ready, rest] = [
      waiters.filter((one) => waitingBytes <= one.below),
      waiters.filter((one) => waitingBytes > one.below),
    ];
    waiters = rest;
    for (const one of ready) one.resolve();
  };

  const forget = () => {
    queue = [];
    head = 0;
    waitingBytes = 0;
    wake();
  };

  const close = () => {
    isClosed = true;
    forget();
  };

  const below = (bytes: number) =>
    waitingBytes <= bytes
      ? Promise.resolve()
      : new Promise<void>((resolve) => waiters.push({ below: bytes, resolve }));

  return {
    send(line) {
      if (isClosed) return;
      let bytes = encoder.encode(line);
      if (waitingBytes === 0) {
        const taken = to.write(bytes);
        if (taken < 0) return close();
        if (taken === bytes.length) return;
        // A copy: a view would keep the part that was taken in memory as well.
        bytes = bytes.slice(taken);
      }
      queue.push(bytes);
      waitingBytes += bytes.length;
      if (waitingBytes <= limits.socket.outboundBytesMax) return;
      const tooMuch = waitingBytes;
      close();
      to.overflow(tooMuch);
    },
    drain() {
      while (head < queue.length) {
        const first = queue[head]!;
        const taken = to.write(first);
        if (taken < 0) return close();
        waitingBytes -= taken;
        if (taken < first.length) {
          queue[head] = first.subarray(taken);
          return wake();
        }
        head++;
      }
      forget();
    },
    room: () => below(limits.socket.outboundHighWaterBytes),
    empty: () => below(0),
    close,
  };
}
