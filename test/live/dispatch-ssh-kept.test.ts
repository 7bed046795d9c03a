/** Reads of another machine over a connection that the daemon here keeps open: faster, and nothing else is different. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { binary, type Json } from "../support/dispatch.ts";
import { until } from "../support/fault.ts";
import { type Machines, machines } from "../support/machines.ts";
import { noSshd } from "../support/sshd.ts";

setDefaultTimeout(60_000);

describe.skipIf(noSshd !== undefined)(`a kept connection${noSshd ? `: ${noSshd}` : ""}`, () => {
  let all: Machines;
  let theirs: Json;

  beforeAll(async () => {
    all = await machines();
    // The daemon uses the same ssh as the commands.
    all.configure('[app_server]\nenv = ["DISPATCH_SSH"]\n');
    theirs = await all.there.thread("theirs", "hello");
    const power = ["--sandbox", "danger-full-access", "--approval-policy", "never"];
    await all.here.ask(["new", "--name", "free", ...power]);
  });
  afterAll(() => all?.dispose());

  const list = () => all.here.ask(["list", "--host", "box"]);
  /** A read, until the daemon has a connection that is ready. */
  async function kept(): Promise<void> {
    await until("a connection is kept", async () => {
      await list();
      const before = all.box.logins();
      await list();
      return all.box.logins() === before;
    });
  }

  test("the second read makes no log-in, answers the same, and the next command names the host", async () => {
    const first = await list();
    expect(first.threads).toMatchObject([{ ref: theirs["ref"], title: "theirs" }]);
    await kept();
    const before = all.box.logins();
    expect(await list()).toEqual(first);
    const got = await all.here.ask(["get", String(theirs["ref"]), "--host", "box"]);
    expect(got.title).toBe("theirs");
    const missing = await all.here.refused(["get", "@nobody", "--host", "box"]);
    expect(missing).toMatchObject({ code: "not_found" });
    expect(all.box.logins()).toBe(before);
  });

  test("what is done there is seen by the next read", async () => {
    await kept();
    const made = await all.there.ask(["new", "--name", "another"]);
    expect((await list()).threads.map((row: Json) => row["ref"])).toContain(made.ref);
  });

  test("an agent that may not use the host gets nothing of it", async () => {
    await kept();
    const said = await all.here.shell(
      "@free",
      `DISPATCH_SSH=${all.box.ssh} ${binary} --host box list 2>&1; true`,
    );
    expect(said).toContain("agents may not use the host box");
  });

  test("the end of the daemon here ends it", async () => {
    await kept();
    expect(all.box.clients()).not.toEqual([]);
    await all.here.ask(["down"]);
    await until("no ssh is left", () => all.box.clients().length === 0);
    expect((await list()).threads).toBeArray();
    await all.here.ask(["up"]);
  });

  test("when ssh is killed, or the daemon there stops, a read goes its own way, and says what is so", async () => {
    await kept();
    for (const pid of all.box.clients()) process.kill(pid, "SIGKILL");
    expect((await list()).threads).toBeArray();
    await kept();
    await all.here.ask(["--host", "box", "down"]);
    expect(await all.here.refused(["list", "--host", "box"])).toMatchObject({
      code: "daemon_down",
      hint: "dispatch --host box up",
    });
    await all.here.ask(["--host", "box", "up"]);
    expect((await list()).threads).toBeArray();
  });
});
