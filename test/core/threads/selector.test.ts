import { beforeEach, describe, expect, test } from "bun:test";
import { DispatchError } from "../../../src/base/error.ts";
import type { Ref } from "../../../src/core/model/ports/rows.ts";
import type { Store } from "../../../src/core/model/ports/store.ts";
import { resolve } from "../../../src/core/threads/selector.ts";
import { openStore } from "../../../src/store/store.ts";
import { laneRow } from "../../store/rows.ts";

let store: Store;
beforeEach(() => {
  store = openStore(":memory:", 1);
  store.lanes.add(laneRow({ ref: "bcd123" as Ref, thread_id: "01a2-one", title: "docs", handle: "docs" }));
  store.lanes.add(laneRow({ ref: "bcd456" as Ref, thread_id: "01a2-two", title: "twin", handle: "twin" }));
  store.lanes.add(laneRow({ ref: "xyz789" as Ref, thread_id: "01a2-three", title: "twin", handle: null }));
});

const found = (word: string, self: string | null = null) => resolve(store, word, self).ref as string;
const refused = (word: string, self: string | null = null) => {
  try {
    found(word, self);
  } catch (thrown) {
    if (thrown instanceof DispatchError) return thrown;
    throw thrown;
  }
  throw new Error(`"${word}" was taken`);
};

describe("a word becomes one thread", () => {
  test("by ref, thread id, @handle, title, self, or a unique prefix of a ref", () => {
    expect(found("bcd123")).toBe("bcd123");
    expect(found("01a2-two")).toBe("bcd456");
    expect(found("@docs")).toBe("bcd123");
    expect(found("docs")).toBe("bcd123");
    expect(found("self", "01a2-three")).toBe("xyz789");
    expect(found("xyz")).toBe("xyz789");
  });

  // A title can come from Codex, where nobody refuses it.
  test("no title takes the place of a ref, an id, a handle or self", () => {
    const titles = ["bcd123", "01a2-two", "@docs", "self"];
    for (const [at, title] of titles.entries())
      store.lanes.add(laneRow({ ref: `zzz11${at}` as Ref, thread_id: `01b-${at}`, title, handle: null }));
    expect(found("bcd123")).toBe("bcd123");
    expect(found("01a2-two")).toBe("bcd456");
    expect(found("@docs")).toBe("bcd123");
    expect(found("self", "01a2-three")).toBe("xyz789");
    expect(refused("self").code).toBe("usage");
  });

  test("a title of two threads is refused, listing both", () => {
    const error = refused("twin");
    expect(error.code).toBe("usage");
    expect(error.message).toContain("bcd456");
    expect(error.message).toContain("xyz789");
  });

  test("a prefix of two refs, or one that is too short, is refused", () => {
    expect(refused("bcd").code).toBe("usage");
    expect(refused("xy").code).toBe("not_found");
  });

  test("an exact title wins over a prefix that would fit too", () => {
    store.lanes.add(laneRow({ ref: "zzz111" as Ref, thread_id: "01a2-four", title: "xyz", handle: "xyz" }));
    expect(found("xyz")).toBe("zzz111");
  });

  test("self is refused for a caller that runs in no thread, or in one that is not managed", () => {
    expect(refused("self").code).toBe("usage");
    expect(refused("self", "01a2-stranger").code).toBe("not_found");
  });

  test("a forgotten thread is found by nothing, and its handle is free", () => {
    store.lanes.forget("bcd123" as Ref, 2);
    for (const word of ["bcd123", "01a2-one", "@docs", "docs"]) expect(refused(word).code).toBe("not_found");
    store.lanes.add(laneRow({ ref: "ccc111" as Ref, thread_id: "01a2-one", title: "docs", handle: "docs" }));
    expect(found("@docs")).toBe("ccc111");
    expect(store.lanes.isRefTaken("bcd123")).toBe(true);
  });
});
