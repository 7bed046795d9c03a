/** The settings that a text brings for its own turn. */
import { fail } from "../base/error.ts";
import { jsonObject } from "../base/jsonobject.ts";
import type { Mode } from "../contract/words.ts";

interface Settings {
  model?: string | undefined;
  effort?: string | undefined;
  service_tier?: string | undefined;
  output_schema?: string | undefined;
}

/** Settings for one turn. Throws `usage` where the mode starts none. */
export function overridesOf({ model, effort, service_tier, output_schema }: Settings, mode: Mode) {
  const given = Object.entries({
    model,
    effort,
    service_tier,
    output_schema: schemaIn(output_schema),
  }).filter(([, value]) => value !== undefined);
  if (given.length === 0) return null;
  if (mode === "steer" || mode === "context")
    fail("usage", `--${mode} starts no turn, so it takes no --${given[0]![0].replaceAll("_", "-")}`, {
      hint: "dispatch send --help",
    });
  return Object.fromEntries(given);
}

function schemaIn(source: string | undefined): Record<string, unknown> | undefined {
  if (source === undefined) return undefined;
  return (
    jsonObject(source) ??
    fail("usage", "the output schema is not a JSON object", { hint: "--output-schema-file schema.json" })
  );
}
