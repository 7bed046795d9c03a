/** The machines that dispatch is released for, and the runtime of each. */
import pkg from "../../package.json";

export interface Target {
  /** In the names of the files. */
  name: string;
  os: "linux" | "darwin";
  arch: "x64" | "arm64";
  /** Linux only. */
  libc?: "glibc" | "musl";
  /** Bun's name of it. */
  compile: string;
  /** The npm package with the runtime, and its hash there. A new version of Bun needs new ones. */
  runtime: { package: string; integrity: string };
}

/** Of the `bun` in package.json. The hashes below are of this version. */
export const bunVersion = pkg.devDependencies.bun;

/** `x64` runs on every x86-64: the packages `baseline` hold the same file. */
export const targets: readonly Target[] = [
  {
    name: "linux-x64",
    os: "linux",
    arch: "x64",
    libc: "glibc",
    compile: "bun-linux-x64",
    runtime: {
      package: "@oven/bun-linux-x64",
      integrity:
        "sha512-IWX9BELoGHAUtMonkeSaNaZwXzRk+oDw6Mk+HBFXd3KHYIBNBsIGRupMZPcgNoDbJpLu6gAJjIoIVPZtt1aJ1g==",
    },
  },
  {
    name: "linux-arm64",
    os: "linux",
    arch: "arm64",
    libc: "glibc",
    compile: "bun-linux-arm64",
    runtime: {
      package: "@oven/bun-linux-aarch64",
      integrity:
        "sha512-4BXmsSKnjOrlGWqZV4x/oWa7AVoR+B6lCXddMzOAXBIm3t50eslg9wb66gmtW1AamEQ1l1CDvmmruysEhqOWMg==",
    },
  },
  {
    name: "linux-x64-musl",
    os: "linux",
    arch: "x64",
    libc: "musl",
    compile: "bun-linux-x64-musl",
    runtime: {
      package: "@oven/bun-linux-x64-musl",
      integrity:
        "sha512-10QoW/YfTgnURaGEaHpJCiXjLI2e5iTtfVDaA5JKcyUzaa1cq6cVUY9/Uq5XkYzvtRjHLRe9Oj/lTDIQcxy8HQ==",
    },
  },
  {
    name: "linux-arm64-musl",
    os: "linux",
    arch: "arm64",
    libc: "musl",
    compile: "bun-linux-arm64-musl",
    runtime: {
      package: "@oven/bun-linux-aarch64-musl",
      integrity:
        "sha512-XCNc+WvvMAdNNb+OWTogpy+N9wm62fkVeEVLb6how0RZhW5LPi6c7BlkeVCuWps7XjEl2saFpHFa20/1E+PAHg==",
    },
  },
  {
    name: "darwin-arm64",
    os: "darwin",
    arch: "arm64",
    compile: "bun-darwin-arm64",
    runtime: {
      package: "@oven/bun-darwin-aarch64",
      integrity:
        "sha512-4MIFXHmctH2EhAxLXm2/qxNtv17dFtLJylvaOCsrgq6KSqHTs6eW5YSrJjRbJxYUJaR901fsN8JfZOa+CsWpWQ==",
    },
  },
  {
    name: "darwin-x64",
    os: "darwin",
    arch: "x64",
    compile: "bun-darwin-x64",
    runtime: {
      package: "@oven/bun-darwin-x64",
      integrity:
        "sha512-qkLPMGHZM9NI6CeHTWwVezzmlo6cC4Ta7yUAjYIWXS366qQcOlcp75t2uZyiuVRBMPS0h9qE0tCcvCHGaFqjJg==",
    },
  },
];

/** The target of this machine: with glibc, as the tests run. */
export function nativeTarget(): Target | undefined {
  return targets.find(
    ({ os, arch, libc }) => os === process.platform && arch === process.arch && libc !== "musl",
  );
}

/** The name of the archive without `.tar.gz`, which is also the folder inside. */
export function packageName(target: Target): string {
  return `dispatch-${pkg.version}-${target.name}`;
}
