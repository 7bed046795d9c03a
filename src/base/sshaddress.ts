/** What may be given to ssh as its destination. Nothing in it can be read as an option of ssh. */

/** `box`, `user@box`, an IPv6 address, or `ssh://[user@]box[:port]`. */
export function isDestination(text: string): boolean {
  return isAddress(text) || /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?[A-Za-z0-9][A-Za-z0-9._:%-]*$/.test(text);
}

/** `ssh://[user@]box[:port]`. */
export function isAddress(text: string): boolean {
  const port =
    /^ssh:\/\/(?:[A-Za-z0-9_][A-Za-z0-9._-]*@)?(?:[A-Za-z0-9][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(
      text,
    );
  return port !== null && (port[1] === undefined || (Number(port[1]) > 0 && Number(port[1]) <= 65_535));
}
