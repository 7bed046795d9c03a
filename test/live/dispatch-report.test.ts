/** `dispatch report` of real threads, and its page in the real Chromium of Debian. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { chromiumPath, openTab, type Tab } from "../support/chromium.ts";
import { dispatchRig, type Json, type Rig } from "../support/dispatch.ts";

setDefaultTimeout(60_000);

let rig: Rig;
const hostile = `<img src=x onerror=alert(1)>"'`;

beforeAll(async () => {
  rig = dispatchRig();
  await rig.thread("docs", "hello");
  await rig.thread(hostile, [{ say: "one" }]);
  await rig.thread("broken", [{ fail: "server_error" }]).catch(() => {});
  const asking = JSON.stringify([{ shell: "touch <b>x</b>" }]);
  await rig.ask(["new", "--name", "asker", "--approval-policy", "untrusted", "--text", asking]);
  await rig.ask(["wait", "@asker", "--for", "waiting", "--timeout", "20"]);
});
afterAll(() => rig.dispose());

test("the report counts what happened, in JSON and for a person", async () => {
  const report = await rig.ask(["report"]);
  expect(report).toMatchObject({
    turns: 4,
    failed: 1,
    running: 1,
    requests: 1,
    truncated: false,
    html: null,
  });
  const asker = report.threads.find(({ title }: Json) => title === "asker");
  expect(asker).toMatchObject({ status: "waiting", requests_list: [{ state: "open", closed_at: null }] });
  const shown = await rig.run(["report", "--no-json"]);
  expect(shown.stdout).toContain("4 turns");
  expect(shown.stdout).toContain("1 failed");
});

test("a later --since leaves out what ended before it, and a wrong one is refused", async () => {
  const { threads } = await rig.ask(["report", "--since", new Date(Date.now() + 60_000).toISOString()]);
  // What runs still is in every period that ends now or later.
  expect(threads.map(({ title }: Json) => title)).toEqual(["asker"]);
  expect(await rig.refused(["report", "--since", "yesterweek"])).toMatchObject({ code: "usage" });
});

test("a file that cannot be written is an error with the path", async () => {
  expect(await rig.refused(["report", "--html", "/proc/nothing/x.html"])).toMatchObject({ code: "storage" });
});

// Debian's package; CONTRIBUTING names it. Without it the page has its other tests in test/ops/report.test.ts.
describe.skipIf(chromiumPath === null)("in Chromium", () => {
  let tab: Tab;
  const file = () => join(rig.codex.cwd, "report.html");

  beforeAll(async () => {
    await rig.ask(["report", "--html", file()]);
    tab = await openTab(rig.codex.cwd);
  });
  afterAll(() => tab?.close());

  async function open(width: number, scheme: "light" | "dark"): Promise<void> {
    await tab.call("Emulation.setDeviceMetricsOverride", {
      width,
      height: 900,
      deviceScaleFactor: 1,
      mobile: width < 500,
    });
    await tab.call("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
    await tab.call("Page.navigate", { url: `file://${file()}` });
    await tab.value(
      "new Promise((done) => document.readyState === 'complete' ? done(1) : addEventListener('load', done))",
    );
  }

  for (const [width, scheme] of [
    [390, "light"],
    [390, "dark"],
    [1280, "light"],
    [1280, "dark"],
  ] as const)
    test(`fits ${width} pixels, ${scheme}, with enough contrast, and asks nobody for anything`, async () => {
      await open(width, scheme);
      expect(await tab.value("document.querySelectorAll('article').length")).toBe(4);
      expect(await tab.value("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
      const ratios = await tab.value(`(() => {
        const light = (color) => {
          const [r, g, b] = color.match(/[\\d.]+/g).map((part) => {
            const c = part / 255;
            return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
          });
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const page = light(getComputedStyle(document.body).backgroundColor);
        const on = (selector) => light(getComputedStyle(document.querySelector(selector)).color);
        return ["h1", "header p", ".thread p", ".state", "summary", "code"].map((selector) => {
          const [a, b] = [on(selector), page].sort((x, y) => y - x);
          return (a + 0.05) / (b + 0.05);
        });
      })()`);
      for (const ratio of ratios) expect(ratio).toBeGreaterThan(4.5);
      expect(tab.requests.filter((url) => !url.startsWith("file://"))).toEqual([]);
      expect(tab.errors).toEqual([]);
    });

  test("runs nothing of a hostile title", async () => {
    await open(1280, "light");
    expect(await tab.value("document.scripts.length + document.images.length")).toBe(0);
    expect(
      await tab.value(
        "[...document.querySelectorAll('h2')].some((one) => one.textContent.includes('<img src=x'))",
      ),
    ).toBe(true);
  });

  test("has a name for every picture, and opens its tables by the keyboard", async () => {
    const { nodes } = await tab.call("Accessibility.getFullAXTree");
    const pictures = nodes.filter(
      ({ role, ignored }: Json) => !ignored && ["image", "img"].includes((role as Json)?.["value"] as string),
    );
    expect(pictures.length).toBe(4);
    for (const { name } of pictures) expect(name.value).toContain("turns");
    const key = (type: string, name: string, code: number) =>
      tab.call("Input.dispatchKeyEvent", {
        type,
        key: name,
        code: name,
        windowsVirtualKeyCode: code,
        ...(name === "Enter" ? { text: "\r" } : {}),
      });
    for (const [name, code] of [
      ["Tab", 9],
      ["Enter", 13],
    ] as const) {
      await key("keyDown", name, code);
      await key("keyUp", name, code);
    }
    expect(await tab.value("document.activeElement.tagName")).toBe("SUMMARY");
    expect(await tab.value("document.querySelector('details').open")).toBe(true);
  });
});
