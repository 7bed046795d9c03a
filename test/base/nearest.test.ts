import { expect, test } from "bun:test";
import { nearest } from "../../src/base/nearest.ts";

test("the nearest word is found across typing errors, and none is offered for a stranger", () => {
  expect(nearest("lst", ["list", "get"])).toBe("list");
  expect(nearest("stauts", ["status", "start"])).toBe("status");
  expect(nearest("arch", ["archive", "attach"])).toBe("archive");
  expect(nearest("xyzzy", ["list", "get"])).toBeUndefined();
});
