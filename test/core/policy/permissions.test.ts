import { describe, expect, test } from "bun:test";
import type { Sandbox } from "../../../src/contract/words.ts";
import type { Permissions } from "../../../src/core/model/ruling.ts";
import { isRanked, mayDelegateApproval, widerThan } from "../../../src/core/policy/permissions.ts";

const sandboxes: Sandbox[] = ["read-only", "workspace-write", "danger-full-access"];
const policies = ["untrusted", "on-request", "never"];
const power = (sandbox: Sandbox, approval_policy: string, cwd = "/repo"): Permissions => ({
  sandbox,
  approval_policy,
  cwd,
});
const isInside = (path: string, root: string) => path === root || path.startsWith(`${root}/`);
const isWider = (wanted: Permissions, own: Permissions) => widerThan(wanted, own, isInside) !== undefined;

describe("one power against another, in one folder", () => {
  for (const [at, sandbox] of sandboxes.entries()) {
    for (const [rank, policy] of policies.entries()) {
      test(`${sandbox}, ${policy}`, () => {
        for (const [at2, sandbox2] of sandboxes.entries())
          for (const [rank2, policy2] of policies.entries())
            expect(isWider(power(sandbox2, policy2), power(sandbox, policy))).toBe(at2 > at || rank2 > rank);
      });
    }
  }
});

test("a policy that is not known is wider than any", () => {
  expect(isWider(power("read-only", "granular"), power("danger-full-access", "never"))).toBe(true);
  expect(isWider(power("read-only", "toString"), power("danger-full-access", "never"))).toBe(true);
  expect([isRanked(power("read-only", "granular")), isRanked(power("read-only", "never"))]).toEqual([
    false,
    true,
  ]);
});

test("so is a sandbox that is not known", () => {
  const unknown = "external-sandbox" as Sandbox;
  expect(isWider(power(unknown, "untrusted"), power("danger-full-access", "never"))).toBe(true);
  expect(isRanked(power(unknown, "untrusted"))).toBe(false);
});

test("to write elsewhere is wider, to read elsewhere is not", () => {
  const own = power("workspace-write", "never", "/repo");
  expect(isWider(power("workspace-write", "never", "/repo/web"), own)).toBe(false);
  expect(isWider(power("workspace-write", "never", "/etc"), own)).toBe(true);
  expect(isWider(power("workspace-write", "never", "/repository"), own)).toBe(true);
  expect(isWider(power("read-only", "never", "/etc"), own)).toBe(false);
  expect(isWider(power("workspace-write", "never", "/etc"), power("danger-full-access", "never"))).toBe(
    false,
  );
});

test("only who may run everything unasked may let another", () => {
  const may = sandboxes.flatMap((sandbox) =>
    policies
      .filter((policy) => mayDelegateApproval(power(sandbox, policy)))
      .map((policy) => `${sandbox} ${policy}`),
  );
  expect(may).toEqual(["danger-full-access on-request", "danger-full-access never"]);
  expect(mayDelegateApproval(null)).toBe(false);
});
