/** README's first five minutes with an unpacked archive, in an empty home, with the real Codex and a model on loopback. */
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { codexExecutable, configToml } from "../../test/support/codex.ts";
import { startProvider } from "../../test/support/provider.ts";
import { opened, outside, type Place } from "./place.ts";

const root = resolve(import.meta.dir, "../..");

export interface Step {
  line: string;
  isRefused: boolean;
}

/** The commands of README's section, as they are typed there. A sample that begins with `error:` is one that fails. */
export function stepsOf(readme: string, heading: string): Step[] {
  const section = readme.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0];
  if (section === undefined) throw new Error(`README has no section "${heading}"`);
  return [...section.matchAll(/^\$ (.+)\n(.*)$/gm)].map(([, line, next]) => ({
    line: line!,
    // Through a pipe to cat the status is that of cat.
    isRefused: next!.startsWith("error:"),
  }));
}

/** Runs the steps, then `doctor` in another empty home. Throws at the first that goes wrong. Returns what was run. */
export async function tellStory(place: Place, unpacked: string): Promise<string[]> {
  const provider = startProvider();
  const folder = installedIn(place, unpacked);
  // Inside the checkout: Codex refuses some of its work below a temporary folder.
  const parent = place.root === "/" ? join(root, ".scratch") : join(place.root, "home");
  mkdirSync(parent, { recursive: true });
  const made = mkdtempSync(join(parent, "you-"));
  const home = place.root === "/" ? made : `/home/${made.split("/").at(-1)}`;
  const env = {
    HOME: home,
    PATH: `${folder.program}/bin:${folder.codex}:/usr/local/bin:/usr/bin:/bin`,
    LANG: "C.UTF-8",
    NO_COLOR: "1",
  };
  const ran: string[] = [];
  const inside = await opened(place);
  const run = async (line: string, isRefused = false, more: Record<string, string> = {}) => {
    const result = await inside.run(line, { env: { ...env, ...more }, cwd: `${home}/app` });
    if ((result.code !== 0) !== isRefused)
      throw new Error(`${place.name}: ${line} ended with ${result.code}: ${result.stderr}${result.stdout}`);
    ran.push(line);
    return result;
  };
  try {
    for (const path of ["app", ".codex"]) mkdirSync(join(made, path));
    writeFileSync(join(made, ".codex/config.toml"), configToml(provider.url, false));
    for (const path of ["", "app", ".codex", ".codex/config.toml"])
      chownSync(join(made, path), place.uid, place.uid);
    if (place.root !== "/") await run("command -v node", true);
    for (const { line, isRefused } of stepsOf(
      readFileSync(join(root, "README.md"), "utf8"),
      "The first five minutes",
    ))
      await run(line, isRefused);
    const { stdout } = await run("dispatch doctor --json", false, { DISPATCH_HOME: `${home}/empty` });
    const failed = JSON.parse(stdout).checks.filter(({ status }: { status: string }) => status === "fail");
    if (failed.length > 0) throw new Error(`${place.name}: doctor: ${JSON.stringify(failed)}`);
    const smoke = JSON.parse(stdout).checks.find(({ name }: { name: string }) => name === "app_server");
    if (smoke?.status !== "ok") throw new Error(`${place.name}: doctor: ${JSON.stringify(smoke)}`);
    return ran;
  } finally {
    const options = { env, cwd: "/" };
    await inside.run("dispatch down --force", options);
    await inside.run(`dispatch --home '${home}/empty' down --force`, options);
    await inside.close();
    await provider.stop();
    for (const path of [made, ...folder.made]) rmSync(path, { recursive: true, force: true });
  }
}

/** Puts the archive's folder and Codex where the place can reach them. The paths are those inside the place. */
function installedIn(place: Place, unpacked: string): { program: string; codex: string; made: string[] } {
  if (place.root === "/")
    return { program: unpacked, codex: codexExecutable().replace(/\/codex$/, ""), made: [] };
  const made = ["/opt/dispatch", "/opt/codex"].map((path) => outside(place, path));
  const [program, codex] = made as [string, string];
  for (const path of made) if (existsSync(path)) rmSync(path, { recursive: true });
  cpSync(unpacked, program, { recursive: true, verbatimSymlinks: true });
  mkdirSync(codex, { recursive: true });
  cpSync(codexExecutable(), join(codex, "codex"));
  return { program: "/opt/dispatch", codex: "/opt/codex", made };
}
