/** Encodes and decodes the frames of the control socket, for every client. */
import { limits } from "../base/limits.ts";
import { type LineSplitter, lineSplitter, textOf } from "../base/lines.ts";
import { version } from "../base/version.ts";
import { type ClientFrame, type DaemonFrame, protocolVersion, type TextHead } from "../ops/protocol.ts";

/** The first frame of a connection. */
export const helloFrame: ClientFrame = { hello: { version, protocol: protocolVersion } };

/** Not by `Buffer`, whose first use in a process takes 0.5 ms (measured). */
export function bytesOf(frames: readonly ClientFrame[]): Uint8Array {
  let text = "";
  for (const frame of frames) text += `${JSON.stringify(frame)}\n`;
  return new TextEncoder().encode(text);
}

/** Reads what the daemon sends. `onBroken` reports a line that is not JSON, or one over `limits.socket.frameBytesMax`. */
export function frameReader(to: {
  onFrame(frame: DaemonFrame | TextHead): void;
  /** The text that a frame with `bytes` announces. */
  onText(text: Uint8Array): void;
  onBroken(why: "not_json" | "too_long", cause?: unknown): void;
}): LineSplitter {
  const lines = lineSplitter({
    lineBytesMax: limits.socket.frameBytesMax,
    onLine(line) {
      let frame: DaemonFrame | TextHead;
      try {
        frame = JSON.parse(textOf(line)) as DaemonFrame | TextHead;
      } catch (cause) {
        return to.onBroken("not_json", cause);
      }
      to.onFrame(frame);
      if (!("bytes" in frame)) return;
      if (frame.bytes > limits.socket.frameBytesMax) to.onBroken("too_long");
      else lines.take(frame.bytes, to.onText);
    },
    onOversize: () => to.onBroken("too_long"),
  });
  return lines;
}
