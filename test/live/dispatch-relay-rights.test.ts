/** Who may reach the relay, and as whom: credentials, encryption, names, agents. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import { limits } from "../../src/base/limits.ts";
import type { Json } from "../support/dispatch.ts";
import { until } from "../support/fault.ts";
import { type NatsServer, natsServer, noNats } from "../support/nats.ts";
import { operator, rightsOf } from "../support/natsjwt.ts";
import { type Box, box } from "../support/relay.ts";

setDefaultTimeout(60_000);

const relayOf = async (one: Box) => (await one.ask(["daemon", "status"])).relay;

describe.skipIf(noNats !== undefined)(`machines with credentials${noNats ? `: ${noNats}` : ""}`, () => {
  const owner = operator();
  let nats: NatsServer;
  let laptop: Box;
  let tower: Box;

  /** What was refused, once the daemon has met it. */
  const fault = (one: Box) =>
    until(`${one.name} meets a refusal`, async () => {
      const { degraded } = await one.ask(["daemon", "status"]);
      return degraded.find((row: Json) => String(row["message"]).includes("relay"));
    });

  beforeAll(async () => {
    nats = await natsServer({ config: owner.config() });
    laptop = box("laptop", nats.url);
    tower = box("tower", nats.url);
    // The first machine makes the streams; later ones need no right to.
    laptop.configure(`url = "${nats.url}"\ncreds = "${owner.creds(nats.folder, "laptop")}"`);
    await laptop.join();
    tower.configure(`url = "${nats.url}"\ncreds = "${owner.creds(nats.folder, "tower", rightsOf("tower"))}"`);
    await tower.thread("docs", "hello");
    await tower.join();
  });

  afterAll(async () => {
    await laptop?.dispose();
    await tower?.dispose();
    await nats?.dispose();
  });

  test("a machine with the rights of README's list takes, reports and sends", async () => {
    const there = await laptop.ask(["send", "tower/@docs", "hello there", "--wait", "--timeout", "30"]);
    expect(there).toMatchObject({ state: "done", last_message: "ok: hello there" });
    await laptop.thread("desk", "hello");
    const back = await tower.ask(["send", "laptop/@desk", "hello back", "--wait", "--timeout", "30"]);
    expect(back).toMatchObject({ state: "done", last_message: "ok: hello back" });
  });

  test("with them it brings a consumer that another version made up to date", async () => {
    await tower.ask(["down", "--force"]);
    const nc = await connect({
      servers: nats.url,
      authenticator: credsAuthenticator(readFileSync(join(nats.folder, "laptop.creds"))),
    });
    try {
      const jsm = await jetstreamManager(nc);
      await jsm.consumers.update("DISPATCH_MAIL", "mail-tower", { max_ack_pending: 1 });
      await tower.join();
      const { config } = await jsm.consumers.info("DISPATCH_MAIL", "mail-tower");
      expect(config.max_ack_pending).toBe(limits.relay.mailGivenMax);
    } finally {
      await nc.close();
    }
    const sent = await laptop.ask(["send", "tower/@docs", "still there?", "--wait", "--timeout", "30"]);
    expect(sent).toMatchObject({ state: "done", last_message: "ok: still there?" });
  });

  test("with them it sends under no other name, and reads no other machine's messages", async () => {
    const nc = await connect({
      servers: nats.url,
      inboxPrefix: "_INBOX.tower",
      authenticator: credsAuthenticator(readFileSync(join(nats.folder, "tower.creds"))),
    });
    const violated: string[] = [];
    const listening = (async () => {
      for await (const event of nc.status())
        if (event.type === "error") violated.push(String(event.error.message));
    })();
    const js = jetstream(nc, { timeout: 1000 });
    const attempts = [
      js.publish("dispatch.mail.laptop.owner", "{}"),
      nc.request("$JS.API.CONSUMER.MSG.NEXT.DISPATCH_MAIL.mail-laptop", "", { timeout: 1000 }),
      nc.request("$JS.API.STREAM.MSG.GET.DISPATCH_MAIL", '{"seq":1}', { timeout: 1000 }),
      nc.request("$JS.API.CONSUMER.CREATE.DISPATCH_MAIL.mail-x.dispatch.mail.laptop.*", "{}", {
        timeout: 1000,
      }),
    ];
    for (const attempt of attempts) await expect(Promise.resolve(attempt)).rejects.toThrow();
    await nc.close();
    await listening;
    expect(violated.filter((words) => words.includes("Permissions Violation")).length).toBeGreaterThanOrEqual(
      4,
    );
  });

  test("credentials that were revoked end the connection, and a send says so and stores nothing", async () => {
    owner.revoke("tower");
    await nats.reload(owner.config());
    await until("tower is out", async () => (await relayOf(tower)).state === "down");
    expect(await fault(tower)).toMatchObject({ code: "denied" });
    const refused = await tower.refused(["send", "laptop/@desk", "hello"]);
    expect(refused).toMatchObject({ code: "denied" });
    expect(refused.hint).toContain("creds");
    expect((await tower.ask(["receipt", "list", "--state", "relayed"])).receipts).toEqual([]);
    // Others are not touched, and what they send waits.
    const waits = await laptop.ask(["send", "tower/@docs", "when you are back"]);
    expect(waits.state).toBe("relayed");
    tower.configure(
      `url = "${nats.url}"\ncreds = "${owner.creds(nats.folder, "tower2", rightsOf("tower"))}"`,
    );
    await until("tower is back", async () => (await relayOf(tower))?.state === "up");
    await laptop.reaches(waits.receipt, "done", 30_000);
  });

  test("without credentials, with a missing file and with none of this server: exit and hint", async () => {
    const [before] = [readFileSync(join(laptop.home, "config.toml"), "utf8")];
    for (const [lines, code] of [
      [`url = "${nats.url}"`, "denied"],
      [`url = "${nats.url}"\ncreds = "/nowhere/at.all"`, "usage"],
      [`url = "${nats.url}"\ncreds = "${operator().creds(nats.folder, "stranger")}"`, "denied"],
    ] as const) {
      laptop.configure(lines);
      await until(
        lines,
        async () => (await laptop.run(["send", "tower/@docs", "hello"])).error.code === code,
      );
      expect((await fault(laptop)).hint).toContain("creds");
    }
    await Bun.write(join(laptop.home, "config.toml"), before);
    await until("laptop is back", async () => (await relayOf(laptop))?.state === "up");
  });

  test("another home does not take the name of a machine", async () => {
    const other = box("laptop", nats.url);
    other.configure(`url = "${nats.url}"\ncreds = "${owner.creds(nats.folder, "copy")}"`);
    await other.ask(["up"]);
    expect(await fault(other)).toMatchObject({ code: "conflict" });
    await other.dispose();
  });

  test("an agent sends only to the machines that [policy] hosts lists", async () => {
    const asAgent = { env: { CODEX_THREAD_ID: "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa" } };
    const denied = await laptop.refused(["send", "tower/@docs", "psst"], asAgent);
    expect(denied).toMatchObject({ code: "denied" });
    expect(denied.message).toStartWith("agents may not use the host tower");
    expect(denied.hint).toContain('[policy] hosts = ["tower"]');
    laptop.configure(
      `url = "${nats.url}"\ncreds = "${join(nats.folder, "laptop.creds")}"`,
      '[policy]\nhosts = ["tower"]',
    );
    const sent = await laptop.ask(["send", "tower/@docs", "now I may"], asAgent);
    await laptop.reaches(sent.receipt, "done", 30_000);
    expect((await tower.ask(["receipt", "get", sent.receipt])).by).toBe(
      `laptop/${asAgent.env.CODEX_THREAD_ID}`,
    );
  });

  test("a machine whose agents may only read takes no message", async () => {
    tower.configure(
      `url = "${nats.url}"\ncreds = "${join(nats.folder, "tower2.creds")}"`,
      '[policy]\nagents = "read"',
    );
    const sent = await laptop.ask(["send", "tower/@docs", "write this"]);
    expect(await laptop.reaches(sent.receipt, "failed")).toMatchObject({ error: { code: "denied" } });
  });

  test("a handle with dots, wildcards or spaces is no subject: it names a thread there, or nothing", async () => {
    for (const handle of ["@a.b", "@>", "@*", "a title with spaces", "mail.laptop.tower", "@docs\n"]) {
      const sent = await laptop.ask(["send", `tower/${handle}`, "hello"]);
      const failed = await laptop.reaches(sent.receipt, "failed");
      expect(failed["error"]).toMatchObject({ code: expect.stringMatching(/denied|not_found|usage/) });
    }
    for (const target of ["to.wer/@docs", "queue@a.b", "queue@>", "queue@*", "queue@"])
      expect((await laptop.refused(["send", target, "hello"])).code).toBe("usage");
  });
});

describe("off loopback", () => {
  let lone: Box;
  beforeAll(async () => {
    lone = box("lone", "nats://127.0.0.1:1");
    await lone.ask(["up"]);
  });
  afterAll(() => lone?.dispose());

  test.each([
    ['url = "nats://relay.example.com:4222"\ncreds = "x.creds"', 'url = "tls://relay.example.com:4222"'],
    ['url = "tls://relay.example.com:4222"', "creds = PATH"],
    [
      'url = "nats://127.0.0.1.example.com:4222"\ncreds = "x.creds"',
      'url = "tls://127.0.0.1.example.com:4222"',
    ],
    ['url = "nats://me:secret@127.0.0.1:4222"', "creds = PATH"],
    ['url = "http://127.0.0.1:4222"', 'url = "tls://'],
    ['url = "not a url"', 'url = "tls://'],
    ['url = ["nats://127.0.0.1:4222", "nats://10.0.0.1:4222"]', 'url = "tls://10.0.0.1:4222"'],
  ])("%s is refused before anything is connected", async (lines, hint) => {
    lone.configure(lines);
    const refused = await lone.refused(["send", "tower/@docs", "hello"]);
    expect(refused.code).toBe("usage");
    expect(refused.hint).toContain(hint);
    expect(refused.message).not.toContain("secret");
  });
});
