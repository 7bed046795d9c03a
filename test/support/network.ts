/** The network between one machine and a server on loopback: it stands still, is cut, and is mended, as a test says. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Network {
  port: number;
  /** Nothing passes either way; what is sent meanwhile waits. */
  stall(): void;
  /** Every connection ends, and what waited is lost. Until it is mended none is taken. */
  cut(): void;
  mend(): void;
  dispose(): void;
}

export async function networkTo(port: number): Promise<Network> {
  const pairs = new Set<[near: Socket, far: Socket]>();
  let state: "whole" | "stalled" | "cut" = "whole";

  const server = createServer({ noDelay: true }, (near) => {
    near.on("error", () => {});
    if (state === "cut") return void near.resetAndDestroy();
    const far = connect({ port, host: "127.0.0.1", noDelay: true });
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [pair, pair.toReversed() as [Socket, Socket]]) {
      from.on("data", (bytes) => {
        if (!to.write(bytes)) from.pause();
      });
      to.on("drain", () => state === "whole" && from.resume());
      from.on("error", end).on("close", end);
      if (state === "stalled") from.pause();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    port: (server.address() as AddressInfo).port,
    stall() {
      state = "stalled";
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    cut() {
      state = "cut";
      for (const pair of pairs) for (const socket of pair) socket.resetAndDestroy();
    },
    mend() {
      state = "whole";
      for (const pair of pairs) for (const socket of pair) socket.resume();
    },
    dispose() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
    },
  };
}
