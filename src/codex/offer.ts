/**
 * The methods and fields that an installed Codex supports, from the schema that it generates. Codex ignores unknown
 * fields silently, so only the schema shows them (facts F61).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { limits } from "../base/limits.ts";
import type { Env } from "../base/spawn.ts";
import { type Json, list, object, text } from "./read.ts";
import { runWithTemporaryHome } from "./temporaryhome.ts";

/** The known fields by method. */
export type Fields = ReadonlyMap<string, ReadonlySet<string>>;

export interface Offer {
  /** Methods that a client may call, with the fields of their params. */
  calls: Fields;
  /** Requests that Codex sends to a client. */
  asks: Fields;
  /** Notifications, with the fields at any depth. */
  hears: Fields;
}

/** Undefined when the schema could not be generated. Another check reports an executable that does not run. */
export async function offerOf(executable: string, env: Env): Promise<Offer | undefined> {
  try {
    return await written(executable, env);
  } catch {
    // No disk space for a temporary file, or no schema file at the expected path: nothing is known.
    return undefined;
  }
}

function written(executable: string, env: Env): Promise<Offer | undefined> {
  const args = (folder: string) => [
    "app-server",
    "generate-json-schema",
    "--experimental",
    "--out",
    join(folder, "schema"),
  ];
  // It takes 0.1 s and no network (facts F61).
  const how = { args, env, timeoutMs: limits.codex.schemaTimeoutMs };
  return runWithTemporaryHome(executable, how, async ({ code }, folder) => {
    if (code !== 0) return undefined;
    const [calls, asks, hears] = await Promise.all(
      ["ClientRequest", "ServerRequest", "ServerNotification"].map(async (name) =>
        JSON.parse(await readFile(join(folder, "schema", `${name}.json`), "utf8")),
      ),
    );
    return { calls: fieldsIn(calls, "own"), asks: fieldsIn(asks, "own"), hears: fieldsIn(hears, "all") };
  });
}

function fieldsIn(schema: Json, depth: "own" | "all"): Fields {
  const definitions = object(schema["definitions"]) ?? {};
  const fields = new Map<string, Set<string>>();
  for (const variant of list(schema["oneOf"])) {
    const properties = object(object(variant)?.["properties"]);
    const found = new Set<string>();
    collect(properties?.["params"], definitions, depth, found, new Set());
    for (const method of list(object(properties?.["method"])?.["enum"])) fields.set(String(method), found);
  }
  return fields;
}

function collect(
  schema: unknown,
  definitions: Json,
  depth: "own" | "all",
  found: Set<string>,
  seen: Set<string>,
): void {
  const node = object(schema);
  if (!node) return;
  const name = text(node["$ref"])?.split("/").at(-1);
  if (name !== undefined && !seen.has(name)) {
    seen.add(name);
    collect(definitions[name], definitions, depth, found, seen);
  }
  for (const [field, inner] of Object.entries(object(node["properties"]) ?? {})) {
    found.add(field);
    if (depth === "all") collect(inner, definitions, depth, found, seen);
  }
  const parts = ["allOf", "anyOf", "oneOf"].flatMap((word) => list(node[word]));
  for (const part of depth === "all" ? [...parts, node["items"]] : parts)
    collect(part, definitions, depth, found, seen);
}
