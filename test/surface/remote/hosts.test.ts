import { expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import { hostNamed, hostsNamed } from "../../../src/surface/remote/hosts.ts";
import { sshCommand } from "../../../src/surface/remote/sshcommand.ts";

const hosts = {
  box: { ssh: "me@box.lan", command: "/opt/dispatch" },
  mini: { ssh: "mini", command: "dispatch" },
};

const refused = (name: string) => {
  try {
    hostNamed(name, hosts);
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
  }
  throw new Error(`${name} was taken`);
};

test("a host is one of the configuration, or an address", () => {
  expect(hostNamed("box", hosts)).toEqual({
    name: "box",
    destination: "me@box.lan",
    command: "/opt/dispatch",
  });
  expect(hostNamed("ssh://me@other:2222", hosts)).toEqual({
    name: "ssh://me@other:2222",
    destination: "ssh://me@other:2222",
    command: "dispatch",
  });
  expect(hostsNamed(hosts).map(({ name }) => name)).toEqual(["box", "mini"]);
});

test("an unknown name is not found, and the hint names the hosts", () => {
  expect(refused("bxo")).toMatchObject({ code: "not_found", hint: "did you mean box? The hosts: box, mini" });
  expect(refused("server-of-somebody").hint).toContain("box, mini");
  expect(refused("toString").code).toBe("not_found");
});

test("what is no address is bad usage", () => {
  for (const name of ["ssh://", "ssh://box:x", "https://box", "-oProxyCommand=x", ""])
    expect(refused(name).code).toBe("usage");
});

test("the destination comes after --, so that it is never an option; ssh asks nothing and forwards nothing", () => {
  const command = sshCommand(hostNamed("box", hosts), "dispatch dial-stdio");
  expect(command.slice(-3)).toEqual(["--", "me@box.lan", "dispatch dial-stdio"]);
  expect(command).toContain("BatchMode=yes");
  expect(command).toContain("-T");
  expect(command).toContain("-a");
  expect(command).toContain("-x");
  expect(command).toContain("ClearAllForwardings=yes");
});
