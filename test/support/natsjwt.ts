/** An operator, an account and users of a NATS server, with their signed claims, as `nsc` would make them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nkeys } from "@nats-io/transport-node";

type KeyPair = ReturnType<typeof nkeys.createUser>;

export interface Operator {
  /** Lines of the server's configuration. */
  config(): string;
  /** Writes a credentials file for a machine; returns its path. */
  creds(folder: string, name: string, allow?: Partial<Allowed>): string;
  /** The machine's credentials are of no use from the next reload on. */
  revoke(name: string): void;
}

/** What a machine needs, as README lists it. */
export function rightsOf(name: string): Allowed {
  return {
    publish: [
      `dispatch.mail.*.${name}`,
      `dispatch.pool.*.${name}`,
      `dispatch.back.*.${name}`,
      "dispatch.claim.*",
      "$JS.API.STREAM.INFO.DISPATCH_MAIL",
      "$JS.API.STREAM.INFO.DISPATCH_BACK",
      "$JS.API.STREAM.INFO.DISPATCH_CLAIMS",
      "$JS.API.STREAM.MSG.GET.DISPATCH_CLAIMS",
      "$JS.API.CONSUMER.INFO.DISPATCH_MAIL.*",
      `$JS.API.CONSUMER.INFO.DISPATCH_BACK.back-${name}`,
      `$JS.API.CONSUMER.CREATE.DISPATCH_MAIL.mail-${name}.dispatch.mail.${name}.*`,
      `$JS.API.CONSUMER.CREATE.DISPATCH_BACK.back-${name}.dispatch.back.${name}.*`,
      `$JS.API.CONSUMER.DELETE.DISPATCH_MAIL.mail-${name}`,
      `$JS.API.CONSUMER.DELETE.DISPATCH_BACK.back-${name}`,
      `$JS.API.CONSUMER.MSG.NEXT.DISPATCH_MAIL.mail-${name}`,
      `$JS.API.CONSUMER.MSG.NEXT.DISPATCH_BACK.back-${name}`,
      `$JS.ACK.DISPATCH_MAIL.mail-${name}.>`,
      `$JS.ACK.DISPATCH_BACK.back-${name}.>`,
    ],
    subscribe: [`_INBOX.${name}.>`],
  };
}

export interface Allowed {
  publish: string[];
  subscribe: string[];
}

const everything = -1;

export function operator(): Operator {
  const [owner, account, system] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()];
  const users = new Map<string, string>();
  const revocations: Record<string, number> = {};
  const accountJwt = (of: KeyPair, name: string) =>
    signed(owner, of, name, {
      type: "account",
      version: 2,
      revocations: of === account ? revocations : {},
      limits: {
        subs: everything,
        data: everything,
        payload: everything,
        imports: everything,
        exports: everything,
        wildcards: true,
        conn: everything,
        leaf: everything,
        // The system's account has no JetStream.
        ...(of === account
          ? { mem_storage: everything, disk_storage: everything, streams: everything, consumer: everything }
          : {}),
      },
    });
  // A reload takes no other operator.
  const ownerJwt = signed(owner, owner, "test", { type: "operator", version: 2 });
  return {
    config: () =>
      [
        `operator: "${ownerJwt}"`,
        `system_account: "${system.getPublicKey()}"`,
        "resolver: MEMORY",
        "resolver_preload {",
        `  ${account.getPublicKey()}: "${accountJwt(account, "fleet")}"`,
        `  ${system.getPublicKey()}: "${accountJwt(system, "SYS")}"`,
        "}",
      ].join("\n"),
    creds(folder, name, allow = {}) {
      const user = nkeys.createUser();
      users.set(name, user.getPublicKey());
      const permissions = {
        pub: allow.publish ? { allow: allow.publish } : {},
        sub: allow.subscribe ? { allow: allow.subscribe } : {},
      };
      const jwt = signed(account, user, name, {
        type: "user",
        version: 2,
        subs: everything,
        data: everything,
        payload: everything,
        ...permissions,
      });
      const seed = new TextDecoder().decode(user.getSeed());
      const path = join(folder, `${name}.creds`);
      const text = `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    revoke(name) {
      revocations[users.get(name)!] = Math.floor(Date.now() / 1000) + 1;
    },
  };
}

function signed(issuer: KeyPair, subject: KeyPair, name: string, nats: object): string {
  const claims = {
    jti: Bun.SHA256.hash(subject.getPublicKey() + JSON.stringify(nats), "hex"),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name,
    nats,
  };
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const text = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  const signature = Buffer.from(issuer.sign(new TextEncoder().encode(text))).toString("base64url");
  return `${text}.${signature}`;
}
