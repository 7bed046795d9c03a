/**
 * The settings of a new thread, and where each comes from: layers of choices, each over the one before. The file of a
 * repository is foreign until the user trusts it: it may choose less than the user allows, never more.
 */

import { fail } from "../../base/error.ts";
import type { Values } from "../model/config.ts";
import { exceeds, isRankedField, least } from "../policy/permissions.ts";

export interface TextFile {
  file: string;
}

export interface Layer {
  /** As shown to the user: `flag`, `defaults`, `repository defaults`, `preset reviewer`, ... */
  source: string;
  /** The configuration file; null for flags. */
  file: string | null;
  /** The root of a repository that is not trusted; null: the user's own choice. */
  confinedTo: string | null;
  values: Values;
}

export interface Choice {
  field: string;
  value: unknown;
  source: string;
  file: string | null;
}

/** A choice of an untrusted repository that was not used. */
export interface Dropped extends Choice {
  why: string;
}

export interface Resolved {
  chosen: ReadonlyMap<string, Choice>;
  dropped: readonly Dropped[];
}

/**
 * Whether an untrusted repository may set a field. `never`: the field starts work, chooses who approves or answers,
 * replaces Codex's own instructions, or changes Codex's configuration. `unless_own`: only when the user's own files and
 * flags do not set it. `lower`: no more than the user's own. `inside`: a folder of the repository. Other fields:
 * `never`.
 */
export const repositoryMay = {
  text: "never",
  goal: "never",
  send: "never",
  ephemeral: "never",
  tools: "never",
  preset: "never",
  requests: "never",
  permission_profile: "never",
  approvals_reviewer: "never",
  model_provider: "never",
  base_instructions: "never",
  config: "never",
  sandbox: "lower",
  approval_policy: "lower",
  cwd: "inside",
  prefix: "unless_own",
  developer_instructions: "unless_own",
  output_schema: "unless_own",
  model: "unless_own",
  effort: "unless_own",
  summary: "unless_own",
  service_tier: "unless_own",
} as const satisfies Record<string, "never" | "unless_own" | "lower" | "inside">;

/** `isInside` follows symbolic links. */
export function resolve(
  layers: readonly Layer[],
  isInside: (path: string, root: string) => boolean,
): Resolved {
  const own = merged(layers.filter((layer) => layer.confinedTo === null));
  const dropped: Dropped[] = [];
  const kept = layers.map((layer) => {
    const { source, file, confinedTo } = layer;
    if (confinedTo === null) return layer;
    const values = Object.entries(layer.values).filter(([field, value]) => {
      const why = refusal(field, value);
      if (why !== null) dropped.push({ field, value, source, file, why });
      return why === null;
    });
    return { ...layer, values: Object.fromEntries(values) };

    function refusal(field: string, value: unknown): string | null {
      const rule = Object.hasOwn(repositoryMay, field)
        ? repositoryMay[field as keyof typeof repositoryMay]
        : "never";
      if (rule === "never") return "only the user's own file or flags may set it";
      const mine = own.get(field);
      if (rule === "unless_own" && mine !== undefined) return `the user's own ${mine.source} sets it`;
      const isOutside = field === "cwd" && !isInside(String(value), confinedTo!);
      if (isOutside || (isTextFile(value) && !isInside(value.file, confinedTo!)))
        return "it is outside the repository";
      if (rule !== "lower" || !isRankedField(field)) return null;
      if (field === "sandbox" && own.has("permission_profile"))
        return "the user's own permission profile decides it";
      const allowed = String(mine?.value ?? least[field]);
      return exceeds(field, String(value), allowed) ? `it is more than the user's own "${allowed}"` : null;
    }
  });
  const chosen = merged(kept);
  dropOverruled(chosen);
  return { chosen, dropped };
}

function merged(layers: readonly Layer[]): Map<string, Choice> {
  const chosen = new Map<string, Choice>();
  for (const { values, source, file } of layers) {
    for (const [field, value] of Object.entries(values)) {
      // Moved to the end of the map: the order shows which of two exclusive fields was set last.
      chosen.delete(field);
      chosen.set(field, { field, value, source, file });
    }
  }
  return chosen;
}

/** A permission profile decides the sandbox, and Codex refuses both at once (facts F26): the later one counts. */
function dropOverruled(chosen: Map<string, Choice>): void {
  const sandbox = chosen.get("sandbox");
  const profile = chosen.get("permission_profile");
  if (!sandbox || !profile) return;
  if (sandbox.source === profile.source && sandbox.file === profile.file)
    fail("usage", "a permission profile decides the sandbox: give one of --sandbox and --permission-profile");
  const order = [...chosen.keys()];
  const isProfileLast = order.indexOf("permission_profile") > order.indexOf("sandbox");
  chosen.delete(isProfileLast ? "sandbox" : "permission_profile");
}

export function isTextFile(value: unknown): value is TextFile {
  return typeof value === "object" && value !== null && typeof (value as TextFile).file === "string";
}
