/**
 * The name of a thread on another machine: `box/ref`, where `box` is the name of a host. The part before the first slash
 * is always read as a host, also where a title or a handle here has the same words.
 */

export interface HostRef {
  host: string;
  /** A selector of a thread, or a receipt, as the other machine reads it. */
  ref: string;
}

/** The name of a host: what a shell and a configuration file take without quotes. */
export function isHostName(text: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(text);
}

/** Null when the text does not have the form `box/ref`. Whether there is such a host is for the caller to know. */
export function splitHost(text: string): HostRef | null {
  const slash = text.indexOf("/");
  if (slash < 0) return null;
  const [host, ref] = [text.slice(0, slash), text.slice(slash + 1)];
  return isHostName(host) && ref !== "" ? { host, ref } : null;
}

export function joinHost(host: string, ref: string): string {
  return `${host}/${ref}`;
}
