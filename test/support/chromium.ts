/** Debian's Chromium without a window, driven by its own protocol. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

export const chromiumPath = Bun.which("chromium") ?? Bun.which("chromium-browser");

// biome-ignore lint/suspicious/noExplicitAny: the protocol answers with whatever the method has
type Answer = any;

export interface Tab {
  call(method: string, params?: object): Promise<Answer>;
  /** The value of an expression of the page. */
  value(expression: string): Promise<Answer>;
  /** Addresses that the page asked for. */
  requests: string[];
  /** Errors that the page logged. */
  errors: string[];
  close(): Promise<void>;
}

export async function openTab(folder: string): Promise<Tab> {
  const profile = mkdtempSync(join(folder, "chromium-"));
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"];
  const child = Bun.spawn([chromiumPath!, ...flags, `--user-data-dir=${profile}`, "about:blank"], {
    stdout: "ignore",
    stderr: "pipe",
  });
  const socket = new WebSocket(await addressIn(child.stderr));
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  const waiting = new Map<number, (answer: Answer) => void>();
  const requests: string[] = [];
  const errors: string[] = [];
  let last = 0;
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data));
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    if (message.method === "Network.requestWillBeSent") requests.push(message.params.request.url);
    if (message.method === "Log.entryAdded") errors.push(message.params.entry.text);
    if (message.method === "Runtime.exceptionThrown") errors.push(message.params.exceptionDetails.text);
  };
  const send = async (method: string, params: object, sessionId?: string): Promise<Answer> => {
    const id = ++last;
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) }));
    const answer = await answered;
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  };
  const { targetInfos } = await send("Target.getTargets", {});
  const page = targetInfos.find(({ type }: { type: string }) => type === "page");
  const { sessionId } = await send("Target.attachToTarget", { targetId: page.targetId, flatten: true });
  const call: Tab["call"] = (method, params = {}) => send(method, params, sessionId);
  for (const domain of ["Page", "Network", "Log", "Runtime", "Accessibility"]) await call(`${domain}.enable`);
  return {
    call,
    requests,
    errors,
    async value(expression) {
      const { result } = await call("Runtime.evaluate", {
        expression,
        returnByValue: true,
        awaitPromise: true,
      });
      return result.value;
    },
    async close() {
      socket.close();
      child.kill("SIGKILL");
      await child.exited;
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function addressIn(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stderr) {
    text += new TextDecoder().decode(chunk);
    const found = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
    if (found) return found;
  }
  throw new Error(`chromium did not start: ${text}`);
}
