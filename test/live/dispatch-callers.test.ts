/** Who calls, over the real Codex: from its shells in each sandbox, from what detaches itself, and from its MCP servers. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../daemon/rig.ts";
import { binary, dispatchRig, type Json, type Rig } from "../support/dispatch.ts";
import { stringify } from "../support/provider-script.ts";

setDefaultTimeout(60_000);

let rig: Rig;

beforeAll(() => {
  rig = dispatchRig();
});

afterAll(() => rig.dispose());

/** Without every variable that says who calls. */
const nameless =
  "env -u CODEX_THREAD_ID -u CODEX_SANDBOX -u CODEX_SANDBOX_NETWORK_DISABLED -u CODEX_SESSION_ID";
const wider = "new --name wider --sandbox danger-full-access --approval-policy never";

const titles = async () => (await rig.ask(["list"])).threads.map((one: Json) => one["title"]);

describe("in workspace-write with network the socket can be reached, and", () => {
  beforeAll(async () => {
    const network = "sandbox_workspace_write.network_access=true";
    await rig.ask(["new", "--name", "net", "--sandbox", "workspace-write", "--config", network]);
    await rig.ask(["new", "--name", "person"]);
  });

  test.each([
    ["as it is", `${binary} list`],
    ["with no variable that says so", `${nameless} ${binary} ${wider}`],
    ["detached from its shell", `setsid --wait ${nameless} ${binary} ${wider}`],
    ["as another thread", `CODEX_THREAD_ID=01a2051d-b657-7002-81c0-9f7e837c4535 ${binary} list`],
  ])("a caller is denied: %s", async (_, command) => {
    const said = await rig.shell("@net", `${command} 2>&1; echo done`);
    expect(said).toContain('"code":"denied"');
    expect(said).toContain("MCP tools");
    expect(await titles()).not.toContain("wider");
  });
});

describe("outside any sandbox a shell of a thread is an agent", () => {
  let agent: Json;
  beforeAll(async () => {
    agent = await rig.ask([
      "new",
      "--name",
      "free",
      "--sandbox",
      "danger-full-access",
      "--approval-policy",
      "on-request",
    ]);
  });

  // Behind `; true` the shell stays the parent; without, bash becomes the command, and nothing names the thread any more.
  test("with no variable that says so: its parent names its thread", async () => {
    const said = await rig.shell("@free", `${nameless} ${binary} get self; true`);
    expect(JSON.parse(said)).toMatchObject({ ref: agent["ref"] });
    expect(await rig.shell("@free", `${nameless} ${binary} ${wider} 2>&1; true`)).toContain(
      '"code":"denied"',
    );
  });

  test("with the name of another thread", async () => {
    const person = await rig.ask(["get", "@person"]);
    const said = await rig.shell("@free", `CODEX_THREAD_ID=${person.id} ${binary} get self; true`);
    expect(JSON.parse(said)).toMatchObject({ ref: agent["ref"] });
  });

  test("in the place of its shell, with nothing that names its thread", async () => {
    expect(await rig.shell("@free", `exec ${nameless} ${binary} ${wider} 2>&1`)).toContain('"code":"denied"');
    expect(JSON.parse(await rig.shell("@free", `exec ${nameless} ${binary} list`)).threads).toBeArray();
  });

  const left = (name: string) => join(rig.codex.cwd, name);
  test.each([
    ["in a new session", `setsid ${nameless} ${binary} ${wider} > OUT 2>&1`],
    ["forked twice, its parents ended", `(setsid sh -c '${nameless} ${binary} ${wider} > OUT 2>&1 &' &)`],
  ])("detached: %s", async (what, command) => {
    const out = left(`out-${what.length}`);
    await rig.shell("@free", command.replace("OUT", out));
    const answer = await until(
      () => existsSync(out) && readFileSync(out, "utf8"),
      "the answer to the detached caller",
    );
    expect(answer).toContain('"code":"denied"');
    expect(answer).toContain("agent_because");
    expect(await titles()).not.toContain("wider");
  });

  test("and cuts no turn of another's thread, by whatever word", async () => {
    await rig
      .ask(["send", "@person", stringify([{ wait: "gate" } as never, { say: "late" }])])
      .catch(() => {});
    for (const way of ["--interject", "--mode interject"]) {
      const said = await rig.shell("@free", `${binary} send @person hello ${way} 2>&1`);
      expect(said).toContain('"code":"denied"');
    }
  });
});

test("what detached processes leave behind when they end is collected", async () => {
  const { daemon } = await rig.pids();
  await rig.shell("@free", "(setsid sh -c 'sleep 0.2' &); true");
  const statOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/stat`, "utf8");
    } catch {
      // Collected between the list and the look.
      return "";
    }
  };
  const zombies = () => {
    const list = readFileSync(`/proc/${daemon}/task/${daemon}/children`, "utf8").split(" ").filter(Boolean);
    return list.filter((pid) => /^\d+ \(.*\) Z/.test(statOf(pid))).length;
  };
  await until(() => zombies() === 0, "no zombie is left", 30_000);
});

test("a person is one from a terminal, whatever thread is named by nobody", async () => {
  const shown = await rig.screen(["get", "@person"]);
  expect(shown.code).toBe(0);
  const made = await rig.ask([
    "new",
    "--name",
    "by-person",
    "--sandbox",
    "danger-full-access",
    "--approval-policy",
    "never",
  ]);
  expect(made.created_by).toBe("cli");
});
