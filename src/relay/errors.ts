/** What the server and its client say, in dispatch's own codes. */
import { JetStreamApiError } from "@nats-io/jetstream";
import {
  AuthorizationError,
  ClosedConnectionError,
  ConnectionError,
  InvalidArgumentError,
  PermissionViolationError,
  TimeoutError,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";
import { DispatchError, errorMessage } from "../base/error.ts";

/** The server's numbers: the stream, its storage or its account is full. */
const full = new Set([10002, 10023, 10028, 10047, 10077]);
/** The message is over the limit of the stream. */
const tooLarge = 10054;

export const again = "try again when it is back; dispatch doctor shows how it is";

/** `server`: for the message. */
export function relayError(thrown: unknown, server: string): DispatchError {
  if (thrown instanceof DispatchError) return thrown;
  const cause = { cause: thrown };
  if (isOfCredentials(thrown))
    return new DispatchError("denied", `the relay ${server} refuses the credentials of this machine`, {
      hint: "get new ones for it, and check [relay] creds in config.toml",
      ...cause,
    });
  const forbidden = causeOf(thrown, PermissionViolationError);
  if (forbidden)
    return new DispatchError(
      "denied",
      `the relay allows this machine no ${forbidden.operation} of ${forbidden.subject}`,
      {
        hint: "README, Other machines, lists what a machine needs",
        ...cause,
      },
    );
  if (isNoJetStream(thrown))
    return new DispatchError("usage", `the server ${server} has no JetStream`, {
      hint: "start it with JetStream (nats-server -js), or name another server in [relay] url",
      ...cause,
    });
  if (thrown instanceof JetStreamApiError) {
    if (full.has(thrown.code))
      return new DispatchError("overloaded", `the relay is full: ${thrown.message}`, {
        hint: "nothing was sent; try again when machines have taken what waits, or give the stream more room",
        ...cause,
      });
    if (thrown.code === tooLarge)
      return new DispatchError("too_large", "the text is over the limit of the relay's stream", {
        hint: "put it in a file that the other machine has, and send its path",
        ...cause,
      });
  }
  if (thrown instanceof InvalidArgumentError && /max_payload/.test(thrown.message))
    return new DispatchError("too_large", "the text is over the limit of the relay's server (max_payload)", {
      hint: "put it in a file that the other machine has, and send its path",
      ...cause,
    });
  return new DispatchError("host_down", `the relay ${server} cannot be reached: ${wordsOf(thrown)}`, {
    hint: again,
    ...cause,
  });
}

/** The request may have arrived: its answer did not. */
export function isAnswerLost(thrown: unknown): boolean {
  return [TimeoutError, ClosedConnectionError, ConnectionError].some((kind) => isAbout(thrown, kind));
}

// biome-ignore lint/suspicious/noExplicitAny: the constructors of errors differ
type Kind<T> = new (...args: any[]) => T;

function causeOf<T extends Error>(thrown: unknown, kind: Kind<T>): T | undefined {
  for (let one = thrown; one instanceof Error; one = one.cause) if (one instanceof kind) return one;
  return undefined;
}

function isAbout(thrown: unknown, kind: Kind<Error>): boolean {
  return causeOf(thrown, kind) !== undefined;
}

/** With the reason below, such as that of TLS. */
function wordsOf(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? `: ${thrown.cause.message}` : "";
  return `${errorMessage(thrown)}${cause}`;
}

/** The client does not export this class. */
function isNoJetStream(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === "JetStreamNotEnabled";
}

/** The client has no class for credentials that were revoked: then the server's words tell. */
function isOfCredentials(thrown: unknown): boolean {
  const isTyped = isAbout(thrown, AuthorizationError) || isAbout(thrown, UserAuthenticationExpiredError);
  return isTyped || /authentication (?:revoked|expired)|authorization violation/i.test(errorMessage(thrown));
}
