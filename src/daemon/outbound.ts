/**
 * The unsent output of one client. `socket.write` returns how many bytes the kernel accepted; the rest waits here until
 * `drain`. It is bounded: a client that does not read is cut, so that a stalled terminal cannot use up the memory.
 */
import { limits } from "../base/limits.ts";

export interface Outbound {
  send(line: string): void;
  /** Something was sent that the kernel has not taken yet, because the client reads slowly. */
  isWaiting(): boolean;
  /** Called when the socket accepts bytes again. */
  drain(): void;
  /** Resolves when at most `limits.socket.outboundHighWaterBytes` wait, or when the client has disconnected. */
  room(): Promise<void>;
  /** Resolves when nothing waits, or when the client has disconnected. */
  empty(): Promise<void>;
  /** The client has disconnected. */
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
  /** The index of the first unsent part. `shift` on a long array would be linear. */
  let head = 0;
  let waitingBytes = 0;
  let isClosed = false;
  let waiters: { below: number; resolve: () => void }[] = [];

  const wake = () => {
    if (waiters.length === 0) return;
    const [ready, rest] = [
      waiters.filter((waiter) => waitingBytes <= waiter.below),
      waiters.filter((waiter) => waitingBytes > waiter.below),
    ];
    waiters = rest;
    for (const waiter of ready) waiter.resolve();
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
        // A copy: a view would also keep the sent part in memory.
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
    isWaiting: () => waitingBytes > 0,
    room: () => below(limits.socket.outboundHighWaterBytes),
    empty: () => below(0),
    close,
  };
}
