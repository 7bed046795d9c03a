import { expect, test } from "bun:test";
import { isHostName, joinHost, splitHost } from "../../src/base/hostref.ts";

test("a host and a selector are divided at the first slash", () => {
  expect(splitHost("box/abc123")).toEqual({ host: "box", ref: "abc123" });
  expect(splitHost("box.lan/@docs")).toEqual({ host: "box.lan", ref: "@docs" });
  expect(splitHost("box/a title / of two parts")).toEqual({ host: "box", ref: "a title / of two parts" });
});

test("what names no host has none", () => {
  for (const text of ["abc123", "@docs", "", "box/", "/abc", "@team/docs", "-o/x", "my box/x", "/home/me/x"])
    expect(splitHost(text)).toBeNull();
});

test("a name that ssh or a shell could read as something else is no host", () => {
  for (const name of ["-oProxyCommand=x", "a b", "a;b", "$x", "", "é", "a".repeat(64)])
    expect(isHostName(name)).toBe(false);
  for (const name of ["box", "box-1", "box.lan", "10.0.0.1", "a".repeat(63)])
    expect(isHostName(name)).toBe(true);
});

test("a joined name is divided into the same parts", () => {
  expect(splitHost(joinHost("box", "abc123"))).toEqual({ host: "box", ref: "abc123" });
});
