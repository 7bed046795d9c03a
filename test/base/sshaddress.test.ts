import { expect, test } from "bun:test";
import { isAddress, isDestination } from "../../src/base/sshaddress.ts";

test("an address is ssh:// with a host, and perhaps a user and a port", () => {
  for (const text of [
    "ssh://box",
    "ssh://me@box",
    "ssh://me@box.lan:2222",
    "ssh://10.0.0.1",
    "ssh://[::1]:22",
  ])
    expect(isAddress(text)).toBe(true);
  for (const text of [
    "box",
    "ssh://",
    "ssh://@box",
    "ssh://box:",
    "ssh://box:0",
    "ssh://box:65536",
    "ssh://box/x",
  ])
    expect(isAddress(text)).toBe(false);
});

test("a destination is an alias, user@host or an address", () => {
  for (const text of ["box", "me@box", "box.lan", "me@10.0.0.1", "me@fe80::1%eth0", "ssh://me@box:22"])
    expect(isDestination(text)).toBe(true);
});

test("nothing that ssh could read as an option is a destination", () => {
  const hostile = [
    "-oProxyCommand=touch /tmp/x",
    "me@-oProxyCommand=x",
    "ssh://-oProxyCommand=x",
    "ssh://-l@box",
    "ssh://me@-box",
    "box -o x",
    "box\n-o",
    "$(touch x)@box",
    "",
  ];
  for (const text of hostile) expect(isDestination(text)).toBe(false);
});
