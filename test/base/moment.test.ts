/** Moments as people write them, in their own zone. */
import { expect, test } from "bun:test";
import { isMoment, momentOf } from "../../src/base/moment.ts";

const now = new Date(2026, 10, 22, 15, 30).getTime();
const local = (...parts: [number, number, number, number?, number?, number?, number?]) => {
  const [y, m, d, h = 0, min = 0, s = 0, ms = 0] = parts;
  return new Date(y, m - 1, d, h, min, s, ms).toISOString();
};

const cases: [text: string, first: string, last: string][] = [
  ["2026-11-20", local(2026, 11, 20), local(2026, 11, 20, 23, 59, 59, 999)],
  ["today", local(2026, 11, 22), local(2026, 11, 22, 23, 59, 59, 999)],
  ["yesterday", local(2026, 11, 21), local(2026, 11, 21, 23, 59, 59, 999)],
  ["2026-11-20 14:05", local(2026, 11, 20, 14, 5), local(2026, 11, 20, 14, 5)],
  ["2026-11-20T14:05:06", local(2026, 11, 20, 14, 5, 6), local(2026, 11, 20, 14, 5, 6)],
  ["2h", new Date(now - 7_200_000).toISOString(), new Date(now - 7_200_000).toISOString()],
  ["2026-11-20T14:05:06+02:00", "2026-11-20T12:05:06.000Z", "2026-11-20T12:05:06.000Z"],
];

for (const [text, first, last] of cases) {
  test(text, () => {
    expect(momentOf(text, "first", now)).toBe(first);
    expect(momentOf(text, "last", now)).toBe(last);
    expect(isMoment(first)).toBe(true);
  });
}

test("what is no moment comes back as it is, for the op to refuse", () => {
  for (const text of ["", "soon", "2026-02-31", "2026-13-01", "2026-11-20 25:00", "11/20/2026", "2 hours"]) {
    expect(momentOf(text, "first", now)).toBe(text);
    expect(isMoment(text)).toBe(false);
  }
});

test("a day of a change of clocks is as long as it is", () => {
  const script = `import { momentOf } from ${JSON.stringify(`${import.meta.dir}/../../src/base/moment.ts`)};
    console.log(momentOf("2026-03-29", "first", 0), momentOf("2026-03-29", "last", 0));`;
  const ran = Bun.spawnSync([process.execPath, "-e", script], {
    env: { ...process.env, TZ: "Europe/Berlin" },
  });
  expect(ran.stdout.toString().trim()).toBe("2026-03-28T23:00:00.000Z 2026-03-29T21:59:59.999Z");
});
