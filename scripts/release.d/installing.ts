/** Runs the install script of a release against a server on loopback: a good download, and each kind of bad one. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

interface Ran {
  code: number;
  stderr: string;
}

/** `release`: the folder with install.sh and the archives; `name`: the archive of this machine. Throws what is wrong. */
export async function checkInstall(release: string, name: string, version: string): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "dispatch-install-"));
  let change = (bytes: Uint8Array<ArrayBuffer>) => bytes;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const file = join(release, new URL(request.url).pathname.slice(1));
      return existsSync(file)
        ? new Response(change(new Uint8Array(readFileSync(file))))
        : new Response("not found", { status: 404 });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const fake = join(scratch, "fake");
  mkdirSync(fake);
  writeFileSync(join(fake, "uname"), '#!/bin/sh\nif [ "$1" = -s ]; then echo Plan9; else echo mips; fi\n', {
    mode: 0o755,
  });
  const install = async (prefix: string, more: Record<string, string> = {}): Promise<Ran> => {
    const child = Bun.spawn(["sh", join(release, "install.sh")], {
      env: {
        PATH: process.env["PATH"] ?? "/usr/bin:/bin",
        HOME: scratch,
        DISPATCH_URL: url,
        PREFIX: prefix,
        ...more,
      },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
      timeout: 120_000,
    });
    const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
    return { code, stderr };
  };
  const refused = async (what: string, words: string, more: Record<string, string> = {}) => {
    const prefix = join(scratch, "refused");
    const { code, stderr } = await install(prefix, more);
    if (code === 0 || !stderr.includes(words)) throw new Error(`${what}: status ${code}, ${stderr}`);
    if (existsSync(prefix)) throw new Error(`${what}: something was installed`);
  };
  try {
    change = (bytes) => bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte));
    await refused("one bit is wrong", "the download is damaged or was replaced");
    change = (bytes) => bytes.slice(0, bytes.length >> 1);
    await refused("half of it arrives", "the download is damaged or was replaced");
    change = (bytes) => bytes;
    await refused("no such file", "could not download", { DISPATCH_URL: `${url}/elsewhere` });
    await refused("an unknown system", "there is no dispatch for Plan9", {
      PATH: `${fake}:${process.env["PATH"]}`,
    });
    await refused("plain http from elsewhere", "is not an https address", {
      DISPATCH_URL: "http://example.com",
    });
    await refused("a relative prefix", "not an absolute path", { PREFIX: "here" });
    const prefix = join(scratch, "prefix with blanks");
    // The second time it replaces the first.
    for (let time = 1; time <= 2; time++) {
      const { code, stderr } = await install(prefix);
      if (code !== 0) throw new Error(`install.sh ended with ${code}: ${stderr}`);
    }
    for (const program of ["dispatch", "dispatchd"]) {
      const { stdout } = Bun.spawnSync([join(prefix, "bin", program), "--version"], {
        env: { HOME: scratch },
      });
      if (stdout.toString().trim() !== `${program} ${version}`)
        throw new Error(`${program} --version prints ${stdout}`);
    }
    for (const path of ["man/man1/dispatch.1", "bash-completion/completions/dispatch", "dispatch/LICENSE"])
      if (!existsSync(join(prefix, "share", path))) throw new Error(`share/${path} was not installed`);
    return `${name}: installed twice, refused a changed and a cut download, a wrong address and an unknown system`;
  } finally {
    await server.stop(true);
    rmSync(scratch, { recursive: true, force: true });
  }
}
