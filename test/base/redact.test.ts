import { expect, test } from "bun:test";
import { redact, redactValue } from "../../src/base/redact.ts";

const secrets: [line: string, secret: string][] = [
  ["authorization: Bearer abc.def-123", "abc.def-123"],
  ["sent Authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"],
  ["the key sk-proj-abcdefgh12345 was refused", "sk-proj-abcdefgh12345"],
  ["OPENAI_API_KEY=abcdef in the environment", "abcdef"],
  ['{"api_key":"q1w2e3"}', "q1w2e3"],
  ["{'password': 'two words'}", "two words"],
  ["codex --token tok123 start", "tok123"],
  ["https://me:hunter2@example.com/x", "hunter2"],
  ["ghp_abcdefghijklmnop", "abcdefghijklmnop"],
  ["jwt eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", "eyJzdWIiOiIx"],
  ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"],
  ["client_secret = s3cr3t; next", "s3cr3t"],
];

for (const [line, secret] of secrets) {
  test(`the secret is taken out of: ${line.slice(0, 40)}`, () => {
    expect(redact(line)).not.toContain(secret);
    expect(redact(line)).toContain("[redacted]");
  });
}

test("ordinary lines stay as they are", () => {
  for (const line of [
    "basic operations ran",
    "tokens: 1234",
    "thread 0199-ab is idle",
    "took 12 ms, key held",
  ])
    expect(redact(line)).toBe(line);
});

test("a field whose name says secret loses its value, however plain it looks; numbers beside it stay", () => {
  const out = redactValue({ env: { OPENAI_API_KEY: "plain", token: "plain", tokens: 12, path: "/x" } }, 100);
  expect(out).toEqual({ env: { OPENAI_API_KEY: "[redacted]", token: "[redacted]", tokens: 12, path: "/x" } });
});

test("an error is logged by its stack, and deep or wide or long values are cut", () => {
  expect(redactValue(new Error("bad sk-abcdefgh1234"), 1000)).toMatch(/Error: bad \[redacted\][\s\S]*at /);
  let deep: unknown = "bottom";
  for (let n = 0; n < 20; n++) deep = { deep };
  expect(JSON.stringify(redactValue(deep, 10))).toContain("[deep]");
  expect(redactValue("x".repeat(50), 10)).toBe(`${"x".repeat(10)}…`);
  expect(redactValue(Array(500).fill(1), 10)).toHaveLength(50);
});

test("a hostile line as long as a log line may be is redacted in no time", () => {
  const from = performance.now();
  for (const one of ["a", "key=", "Bearer ", "://x:", "-----BEGIN PRIVATE KEY-----", "_-", '"'])
    redact(one.repeat(Math.ceil(8192 / one.length)));
  expect(performance.now() - from).toBeLessThan(250);
});
