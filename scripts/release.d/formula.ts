/** The Homebrew formula of a release: where each archive is, its hash, and what is installed from it. */
import pkg from "../../package.json";
import { completions } from "./archive.ts";
import { packageName, type Target, targets } from "./targets.ts";

/**
 * `url`: the folder of the release. `sums`: SHA-256 by the name of the target. The plugin's folder is not installed: Codex
 * records the real path of a marketplace, in the Cellar, and lists no plugin at all once an upgrade has removed it. `dispatch
 * plugin install` unpacks it in the home.
 */
export function formula(url: string, sums: ReadonlyMap<string, string>): string {
  const systems = [
    ["macos", "darwin"],
    ["linux", "linux"],
  ] as const;
  const cpus = [
    ["arm", "arm64"],
    ["intel", "x64"],
  ] as const;
  const downloads = systems.flatMap(([system, os]) => [
    `  on_${system} do`,
    ...cpus.flatMap(([cpu, arch]) => {
      // Homebrew on Linux has a glibc of its own.
      const target = targets.find((t) => t.os === os && t.arch === arch && t.libc !== "musl")!;
      return [`    on_${cpu} do`, ...download(target, url, sums).map((line) => `      ${line}`), "    end"];
    }),
    "  end",
    "",
  ]);
  return `class Dispatch < Formula
  desc "Local control plane for Codex agent threads"
  homepage "${url}"
  version "${pkg.version}"
  license "${pkg.license}"

${downloads.join("\n")}
  def install
    bin.install Dir["bin/*"]
    man1.install Dir["share/man/man1/*.1"]
    bash_completion.install "${completions.bash}"
    zsh_completion.install "${completions.zsh}"
    fish_completion.install "${completions.fish}"
    prefix.install "THIRD-PARTY.md", "sbom.cdx.json"
  end

  def caveats
    <<~EOS
      dispatch needs Codex: npm install -g @openai/codex
      The plugin for Codex and Claude Code: dispatch plugin install
      brew services starts the daemon with Homebrew's PATH. If codex is elsewhere: dispatch service install
      Before brew uninstall: dispatch plugin remove, dispatch service remove, dispatch down
    EOS
  end

  service do
    run [opt_bin/"dispatchd", "--service"]
    # launchd gets the first word; systemd, where Homebrew ignores that one, the second.
    keep_alive successful_exit: false, crashed: true
    environment_variables PATH: std_service_path_env
    error_log_path var/"log/dispatch.log"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/dispatch --version")
    assert_match version.to_s, shell_output("#{bin}/dispatchd --version")
    assert_match "text", shell_output("#{bin}/dispatch schema send")
    assert_path_exists man1/"dispatch.1"
    assert_path_exists bash_completion/"dispatch"
  end
end
`;
}

function download(target: Target, url: string, sums: ReadonlyMap<string, string>): string[] {
  const sum = sums.get(target.name);
  if (sum === undefined) throw new Error(`a formula needs the archive of ${target.name}`);
  return [`url "${url}/${packageName(target)}.tar.gz"`, `sha256 "${sum}"`];
}
