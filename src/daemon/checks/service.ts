/** Checks that the service, if there is one, still finds its program and Codex. */
import { serviceSeen } from "../service/service.ts";
import { type CheckContext, type Finding, ok, skipped, warn } from "./check.ts";

export async function checkService({ paths, hostEnv }: CheckContext): Promise<Finding> {
  const seen = await serviceSeen(paths, { env: hostEnv, platform: process.platform });
  if (!seen || seen.state === "absent" || seen.state === "other")
    return skipped("the daemon is no service; commands start it", { recovery: seen?.next ?? undefined });
  const { state, manager, file, codex, detail } = seen;
  const data = { manager, file, codex };
  if (state === "broken")
    return warn(`the service of ${manager} cannot start: ${detail}`, {
      recovery: "dispatch service install",
      data,
    });
  return ok(`${manager} starts it: ${file}`, { data });
}
