/** What `[relay]` must keep before anything is connected. */
import { fail } from "../../base/error.ts";
import type { RelaySettings } from "../model/ports/relay.ts";

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Throws `usage`: a URL that is none, and a server elsewhere without TLS or credentials. */
export function refuseUnsafe({ servers, creds }: RelaySettings): void {
  for (const server of servers) {
    const url = urlOf(server);
    if (url.username !== "" || url.password !== "")
      fail("usage", "[relay] url has a user or a password in it", {
        hint: "put them into a credentials file, and name it: creds = PATH",
      });
    if (loopback.test(url.hostname)) continue;
    if (url.protocol !== "tls:")
      fail("usage", `[relay] url ${server} is on another machine and not encrypted`, {
        hint: `url = "tls://${url.host}"`,
      });
    if (creds === null)
      fail("usage", `[relay] url ${server} is on another machine, and there are no credentials`, {
        hint: "creds = PATH of the credentials file of this machine",
      });
  }
}

function urlOf(server: string): URL {
  const parsed = URL.canParse(server) ? new URL(server) : null;
  const isServer =
    parsed !== null &&
    (parsed.protocol === "nats:" || parsed.protocol === "tls:") &&
    parsed.hostname !== "" &&
    (parsed.pathname === "" || parsed.pathname === "/") &&
    parsed.search === "";
  if (parsed && isServer) return parsed;
  return fail("usage", `[relay] url ${JSON.stringify(server)} is not the URL of a NATS server`, {
    hint: 'url = "tls://nats.example.com:4222"',
  });
}
