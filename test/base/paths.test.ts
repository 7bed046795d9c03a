import { expect, test } from "bun:test";
import { pathsOf, socketDir } from "../../src/base/paths.ts";

test("everything stands in the home, which a flag names, else the environment, else the user's own", () => {
  expect(pathsOf({ HOME: "/u" }).home).toBe("/u/.dispatch");
  expect(pathsOf({ HOME: "/u", DISPATCH_HOME: "/d" }).home).toBe("/d");
  const paths = pathsOf({ HOME: "/u", DISPATCH_HOME: "/d" }, "/flag/");
  expect(paths).toMatchObject({
    home: "/flag",
    socket: "/flag/dispatch.sock",
    db: "/flag/registry.db",
    lock: "/flag/registry.db.lock",
  });
  expect(socketDir(paths)).toBe("/flag");
});

test("a relative path is the caller's own", () => {
  expect(pathsOf({}, "here").home).toBe(`${process.cwd()}/here`);
  expect(pathsOf({}, ".").home).toBe(process.cwd());
  expect(pathsOf({}, "/a/./b/../c//").home).toBe("/a/c");
  expect(pathsOf({ DISPATCH_SOCKET: "s", DISPATCH_HOME: "/d" }).socket).toBe(`${process.cwd()}/s`);
});

test("without HOME the system is asked who the user is", () => {
  expect(pathsOf({}).home).toEndWith("/.dispatch");
});
