/** How a machine connects: which servers, encryption, credentials. */
import { readFileSync } from "node:fs";
import { credsAuthenticator } from "@nats-io/transport-node";
import { errorMessage, fail } from "../base/error.ts";
import { limits } from "../base/limits.ts";
import type { RelaySettings } from "../core/model/ports/relay.ts";

/** The files are read for each connection: credentials are renewed on disk. Throws `usage`. */
export function connectOptions({ servers, creds, ca, name }: RelaySettings) {
  const isEncrypted = servers.some((server) => server.startsWith("tls:"));
  return {
    servers: servers.map((server) => new URL(server).host),
    name: `dispatch ${name}`,
    // Answers and messages come to subjects of this machine's own, so that a server can keep others from them.
    inboxPrefix: `_INBOX.${name}`,
    reconnect: false,
    // A stack trace of each request costs more than the request.
    noAsyncTraces: true,
    ignoreClusterUpdates: true,
    timeout: limits.relay.connectTimeoutMs,
    // The client's own default is two minutes: a dead connection would be called up for six.
    pingInterval: limits.relay.pingMs,
    maxPingOut: limits.relay.pingsOpenMax,
    ...(isEncrypted ? { tls: ca === null ? {} : { ca: fileOf(ca, "ca").toString() } } : {}),
    ...(creds === null ? {} : { authenticator: credsAuthenticator(fileOf(creds, "creds")) }),
  };
}

function fileOf(path: string, key: string): Buffer {
  try {
    return readFileSync(path);
  } catch (thrown) {
    return fail("usage", `[relay] ${key}: ${path} cannot be read: ${errorMessage(thrown)}`, {
      hint: `check ${key} in config.toml`,
      cause: thrown,
    });
  }
}
