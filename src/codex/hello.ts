import { type Json, text } from "./read.ts";

/** What the answer to `initialize` contains. */
export interface Hello {
  version: string;
  codex_home: string;
}

export function initializeParams(version: string): Json {
  return {
    clientInfo: { name: "dispatch", title: "Dispatch", version },
    // Without this, Codex refuses its own queue, background terminals and permission profiles.
    capabilities: { experimentalApi: true, requestAttestation: false },
  };
}

/** The version is only in the user agent: `dispatch/0.169.0 (Debian ...)`. */
export function helloOf(answer: Json): Hello {
  const version = /\/(\d+\.\d+\.\d+[^\s()]*)/.exec(text(answer["userAgent"]) ?? "")?.[1] ?? "unknown";
  return { version, codex_home: text(answer["codexHome"]) ?? "" };
}
