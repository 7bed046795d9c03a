/** What is wrong at the server or with a text: an exit, a hint, and nothing that is stored or sent twice. */
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { DiscardPolicy, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { until } from "../support/fault.ts";
import { type NatsOptions, type NatsServer, natsServer, noNats } from "../support/nats.ts";
import { type Box, box } from "../support/relay.ts";

setDefaultTimeout(60_000);

describe.skipIf(noNats !== undefined)(
  `a server that is not as it should be${noNats ? `: ${noNats}` : ""}`,
  () => {
    let nats: NatsServer | undefined;
    const boxes: Box[] = [];

    afterEach(async () => {
      for (const one of boxes.splice(0)) await one.dispose();
      await nats?.dispose();
      nats = undefined;
    });

    async function laptopAt(options: NatsOptions): Promise<{ laptop: Box; server: NatsServer }> {
      nats = await natsServer(options);
      const laptop = box("laptop", nats.url);
      boxes.push(laptop);
      return { laptop, server: nats };
    }

    const manage = async (server: NatsServer) => {
      const nc = await connect({ servers: server.url });
      return { jsm: await jetstreamManager(nc), close: () => nc.close() };
    };

    test("a server without JetStream", async () => {
      const { laptop } = await laptopAt({ jetstream: null });
      const refused = await laptop.refused(["send", "tower/@docs", "hello"]);
      expect(refused).toMatchObject({ code: "usage", message: expect.stringContaining("has no JetStream") });
      expect(refused.hint).toContain("nats-server -js");
    });

    test("a port on which something else answers", async () => {
      const { laptop } = await laptopAt({});
      const other = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response("hello") });
      laptop.configure(`url = "nats://127.0.0.1:${other.port}"`);
      expect((await laptop.refused(["send", "tower/@docs", "hello"])).code).toBe("host_down");
      await other.stop(true);
    });

    test("a stream of that name that would drop what it accepted", async () => {
      const { laptop, server } = await laptopAt({});
      const { jsm, close } = await manage(server);
      await jsm.streams.add({
        name: "DISPATCH_MAIL",
        subjects: ["dispatch.mail.*.*"],
        discard: DiscardPolicy.Old,
      });
      await close();
      const refused = await laptop.refused(["send", "tower/@docs", "hello"]);
      expect(refused).toMatchObject({ code: "conflict", message: expect.stringContaining("DISPATCH_MAIL") });
      expect(refused.hint).toContain("discard new");
    });

    test("a stream that is full refuses, stores nothing, and takes the same command when it has room", async () => {
      const { laptop, server } = await laptopAt({});
      const { jsm, close } = await manage(server);
      await jsm.streams.add({
        name: "DISPATCH_MAIL",
        subjects: ["dispatch.mail.*.*", "dispatch.pool.*.*"],
        retention: RetentionPolicy.Workqueue,
        discard: DiscardPolicy.New,
        max_msgs: 2,
      });
      const tower = box("tower", server.url);
      boxes.push(tower);
      const { ref } = await tower.thread("docs");
      await tower.join();
      await laptop.join();
      await tower.ask(["down", "--force"]);
      for (const text of ["one", "two"]) await laptop.ask(["send", `tower/${ref}`, text]);
      const third = ["send", `tower/${ref}`, "three", "--idempotency-key", "third"];
      expect(await laptop.refused(third)).toMatchObject({ code: "overloaded", retry: "later" });
      expect((await laptop.ask(["receipt", "list"])).receipts).toHaveLength(2);
      await tower.join();
      await until("there is room", async () => (await laptop.run(third)).code === 0);
      await until("all three are over", async () => {
        const { receipts } = await tower.ask(["receipt", "list", "--state", "done"]);
        return receipts.length === 3;
      });
      await close();
    });

    test("a copy that the stream stored again after its window of duplicates is dropped by its id", async () => {
      const { server } = await laptopAt({});
      const { jsm, close } = await manage(server);
      await jsm.streams.add({
        name: "DISPATCH_MAIL",
        subjects: ["dispatch.mail.*.*", "dispatch.pool.*.*"],
        retention: RetentionPolicy.Workqueue,
        discard: DiscardPolicy.New,
        duplicate_window: 100_000_000,
      });
      const tower = box("tower", server.url);
      boxes.push(tower);
      const { ref } = await tower.thread("docs");
      await tower.join();
      const id = "01980000-0000-7000-8000-000000000001";
      const mail = { v: 1, id, to: ref, text: "only once", by: "cli", settings: null, depth: 0 };
      const js = jsm.jetstream();
      for (let at = 0; at < 3; at++) {
        const stored = () => js.publish("dispatch.mail.tower.laptop", JSON.stringify(mail), { msgID: id });
        await until("the stream takes it again", async () => !(await stored()).duplicate);
      }
      await until(
        "the stream is empty",
        async () => (await jsm.streams.info("DISPATCH_MAIL")).state.messages === 0,
      );
      await tower.reaches(id, "done");
      expect((await tower.ask(["receipt", "list"])).receipts).toHaveLength(1);
      const { items } = await tower.ask(["tail", ref]);
      expect(items.filter((item: { type: string }) => item.type === "user_message")).toHaveLength(1);
      await close();
    });

    test("a text over the server's limit", async () => {
      const { laptop, server } = await laptopAt({ config: "max_payload: 64KB" });
      const tower = box("tower", server.url);
      boxes.push(tower);
      await tower.join();
      await tower.ask(["down", "--force"]);
      const file = join(server.folder, "long.txt");
      await Bun.write(file, "x".repeat(70_000));
      const refused = await laptop.refused(["send", "tower/@docs", "--text-file", file]);
      expect(refused).toMatchObject({ code: "too_large", message: expect.stringContaining("max_payload") });
      await Bun.write(file, "x".repeat(1_100_000));
      expect((await laptop.refused(["send", "tower/@docs", "--text-file", file])).code).toBe("too_large");
      expect((await laptop.refused(["send", "tower/@docs", ""])).code).toBe("usage");
      expect((await laptop.ask(["receipt", "list"])).receipts).toEqual([]);
    });

    test("modes that need the thread to run now, and settings for a pool", async () => {
      const { laptop } = await laptopAt({});
      for (const flag of ["--steer", "--interject", "--context"])
        expect((await laptop.refused(["send", "tower/@docs", "hello", flag])).code).toBe("usage");
      expect((await laptop.refused(["send", "queue@gpu", "hello", "--model", "gpt-5"])).code).toBe("usage");
    });

    test("no relay is configured", async () => {
      const { laptop } = await laptopAt({});
      await Bun.write(join(laptop.home, "config.toml"), "");
      const refused = await laptop.refused(["send", "tower/@docs", "hello"]);
      expect(refused).toMatchObject({ code: "not_found", hint: expect.stringContaining("[relay]") });
      expect((await laptop.ask(["daemon", "status"])).relay).toBeNull();
    });
  },
);

describe.skipIf(noNats !== undefined || Bun.which("openssl") === null)("an encrypted server", () => {
  let nats: NatsServer;
  let laptop: Box;

  beforeEach(async () => {
    nats = await natsServer();
    laptop = box("laptop", nats.url);
  });
  afterEach(async () => {
    await laptop.dispose();
    await nats.dispose();
  });

  test("is taken when its authority is known, and refused when it is not, or when it is not encrypted", async () => {
    const file = (name: string) => join(nats.folder, name);
    const openssl = (...args: string[]) => {
      const ran = Bun.spawnSync(["openssl", ...args], { cwd: nats.folder });
      if (ran.exitCode !== 0) throw new Error(ran.stderr.toString());
    };
    const subject = ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    openssl(
      "req",
      "-x509",
      ...subject,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-days",
      "2",
      "-subj",
      "/CN=test authority",
    );
    openssl("req", ...subject, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=127.0.0.1");
    await Bun.write(file("ext"), "subjectAltName=IP:127.0.0.1");
    openssl(
      "x509",
      "-req",
      "-in",
      "server.csr",
      "-CA",
      "ca.pem",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-out",
      "server.pem",
      "-days",
      "2",
      "-extfile",
      "ext",
    );
    const url = nats.url.replace("nats:", "tls:");
    laptop.configure(`url = "${url}"`);
    const plain = await laptop.refused(["send", "tower/@docs", "hello"]);
    expect(plain.code).toBe("host_down");
    await nats.kill();
    await nats.write(`tls { cert_file: "${file("server.pem")}", key_file: "${file("server.key")}" }`);
    await nats.start();
    const unknown = await laptop.refused(["send", "tower/@docs", "hello"]);
    expect(unknown.code).toBe("host_down");
    expect(unknown.message).toMatch(/certificate|self.signed|verify/i);
    laptop.configure(`url = "${url}"\nca = "${file("ca.pem")}"`);
    await laptop.join();
    expect((await laptop.refused(["send", "tower/@docs", "hello"])).code).toBe("not_found");
  });
});
