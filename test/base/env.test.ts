import { afterEach, expect, test } from "bun:test";
import { daemonEnv, inheritedEnv } from "../../src/base/env.ts";

const before = { ...process.env };
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
});

const secrets = [
  "OPENAI_API_KEY",
  "ANTHROPIC_API_KEY",
  "GITHUB_TOKEN",
  "AWS_SESSION_TOKEN",
  "CLAUDE_CODE_SESSION",
  "LD_PRELOAD",
];
const callers = [
  "CODEX_THREAD_ID",
  "CODEX_SANDBOX",
  "CODEX_SANDBOX_NETWORK_DISABLED",
  "CODEX_SESSION_ID",
  "BUN_OPTIONS",
];

test("the daemon gets what is on its list, and no key or token of the program that started it", () => {
  for (const name of [...secrets, ...callers]) process.env[name] = "secret";
  process.env["LC_TEST"] = "C";
  process.env["HTTPS_PROXY"] = "http://proxy";
  const env = daemonEnv([]);
  for (const name of [...secrets, ...callers]) expect(env[name]).toBeUndefined();
  expect(env).toMatchObject({ PATH: process.env["PATH"]!, LC_TEST: "C", HTTPS_PROXY: "http://proxy" });
  // Whatever else there is in this environment: each name was decided on.
  const known =
    /^((LC|XDG)_.*|HOME|USER|LOGNAME|SHELL|PATH|PWD|TERM|LANG|LANGUAGE|TZ|TMPDIR|TMP|TEMP|CODEX_HOME|CODEX_CA_CERTIFICATE|DISPATCH_(HOME|SOCKET|DB|CONFIG|CODEX|STARTED_BY)|SSH_AUTH_SOCK|DBUS_SESSION_BUS_ADDRESS|(WAYLAND_)?DISPLAY|XAUTHORITY|((HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy)|(NIX_)?SSL_CERT_FILE|SSL_CERT_DIR|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|__CF_USER_TEXT_ENCODING)$/;
  expect(Object.keys(env).filter((name) => !known.test(name))).toEqual([]);
});

test("what the configuration names is passed on, and changes come last", () => {
  process.env["AZURE_KEY"] = "k";
  expect(daemonEnv(["AZURE_KEY", "NOT_THERE"], { PWD: "/x" })).toMatchObject({ AZURE_KEY: "k", PWD: "/x" });
  expect(daemonEnv(["NOT_THERE"])).not.toHaveProperty("NOT_THERE");
});

test("a program in the caller's terminal gets all but who calls", () => {
  for (const name of [...secrets, ...callers]) process.env[name] = "x";
  const env = inheritedEnv();
  for (const name of secrets) expect(env[name]).toBe("x");
  expect(env).not.toHaveProperty("CODEX_THREAD_ID");
  expect(env).not.toHaveProperty("BUN_OPTIONS");
});
