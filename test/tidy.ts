/** The rules of who may import whom and who may touch the outside world, and the search for who breaks them. */
import { dirname, normalize } from "node:path";

export interface Source {
  /** From the root: `src/core/lane.ts`. */
  path: string;
  text: string;
}

type Part =
  | "main"
  | "base"
  | "contract"
  | "core"
  | "store"
  | "codex"
  | "relay"
  | "daemon"
  | "ops"
  | "surface";

/** Of each part: whose code it may import, and whose types alone. */
const mayImport: Record<Part, { code: readonly Part[]; types?: readonly Part[] }> = {
  main: { code: ["base", "ops", "surface", "daemon"] },
  base: { code: [] },
  contract: { code: ["base"] },
  core: { code: ["base", "contract"] },
  store: { code: ["base", "contract"], types: ["core"] },
  codex: { code: ["base", "contract"], types: ["core"] },
  relay: { code: ["base", "contract"], types: ["core"] },
  ops: { code: ["base", "contract"], types: ["core"] },
  surface: { code: ["base", "contract", "ops"] },
  daemon: { code: ["base", "contract", "core", "store", "codex", "relay", "ops", "surface"] },
};

/** The rooms of core: whose code each may import, beside its own. Its root, which composes them, may import all. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  model: [],
  policy: ["model"],
  state: ["model"],
  requests: ["model", "policy", "state"],
  loading: ["model", "state"],
  search: ["model", "state"],
  delivery: ["model", "state", "requests", "loading"],
  reconcile: ["model", "state", "requests", "loading", "search", "delivery"],
  events: ["model", "state"],
  threads: ["model", "policy", "state", "loading", "delivery", "reconcile"],
  automation: ["model", "state", "delivery", "events"],
  relay: ["model", "policy", "state", "delivery", "threads"],
};

/** The one module that main does not load lazily: it is there for its speed. */
const inEntry = "src/surface/cli/quick.ts";

/** Only the adapter of the relay knows its client, and only who loads it lazily loads the adapter. */
const relayAdapter = "src/relay/";

/** The foreground log, and the prompts. */
const inConsola = ["src/base/logterminal.ts", "src/surface/cli/confirm.ts", "src/surface/cli/pick.ts"];

/** What only one part may touch. */
const reserved: readonly { what: RegExp; name: string; isAllowed(path: string): boolean }[] = [
  {
    what: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b/g,
    name: "the clock: take a Clock",
    isAllowed: inBase,
  },
  { what: /\bMath\.random\b/g, name: "chance: take a Random", isAllowed: inBase },
  {
    what: /\b(?:setTimeout|setInterval|setImmediate|Bun\.sleep)\b/g,
    name: "timers: take a Clock",
    isAllowed: inBase,
  },
  { what: /\b(?:process|Bun)\.env\b/g, name: "the environment: base/env reads it", isAllowed: inBase },
  { what: /\bconsole\.\w+\(/g, name: "the console: take a Log, or base/stdio", isAllowed: inBase },
  {
    what: /\bBun\.(?:spawn|spawnSync|\$)|["'](?:node:)?child_process["']/g,
    name: "spawning: base/spawn does it",
    isAllowed: inBase,
  },
  {
    what: /["']bun:sqlite["']/g,
    name: "the database: store owns it",
    isAllowed: (path) => path.startsWith("src/store/"),
  },
  {
    what: /["']@nats-io\//g,
    name: "the relay's client: relay owns it",
    isAllowed: (path) => path.startsWith(relayAdapter),
  },
  {
    what: /\bfrom\s*["'][^"']*\/relay\/nats\.ts["']/g,
    name: "10 ms of start: load the relay lazily",
    isAllowed: (path) => path.startsWith(relayAdapter),
  },
  {
    what: /["']consola["']/g,
    name: "consola: the foreground log and the prompts load it",
    isAllowed: (path) => inConsola.includes(path),
  },
  {
    what: /\bfrom\s*["']consola["']/g,
    name: "20 ms of start: load consola lazily",
    isAllowed: (path) => !inConsola.includes(path),
  },
  {
    what: /^[ \t]*void\s/gm,
    name: "a promise that nobody waits for: give it a catch",
    isAllowed: () => false,
  },
  {
    what: /\bprocess\.exit\b/g,
    name: "leaving: main.ts does it",
    isAllowed: (path) => path === "src/main.ts",
  },
];

function inBase(path: string): boolean {
  return path.startsWith("src/base/");
}

/** One line for each: `file:line: what is wrong`. */
export function violations(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, text }) => {
    const code = withoutComments(text);
    const found: { at: number; wrong: string }[] = [];
    for (const one of importsOf(code)) {
      const wrong = importFault(path, one);
      if (wrong) found.push({ at: one.at, wrong });
    }
    for (const { what, name, isAllowed } of reserved) {
      if (isAllowed(path)) continue;
      for (const match of code.matchAll(what))
        found.push({ at: match.index, wrong: `${match[0]} is ${name}` });
    }
    return found.map(({ at, wrong }) => `${path}:${code.slice(0, at).split("\n").length}: ${wrong}`);
  });
}

interface Import {
  at: number;
  from: string;
  kind: "code" | "types" | "lazy";
}

const statements = /\b(?:import|export)\s+(type\s)?[^"'`;()=]*?\bfrom\s*["']([^"']+)["']/g;
const bare = /^[ \t]*import\s+["']([^"']+)["']/gm;
const lazy = /\bimport\s*\(\s*["']([^"']+)["']/g;

function importsOf(code: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(statements))
    found.push({ at: match.index, from: match[2]!, kind: match[1] ? "types" : "code" });
  for (const match of code.matchAll(bare)) found.push({ at: match.index, from: match[1]!, kind: "code" });
  for (const match of code.matchAll(lazy)) found.push({ at: match.index, from: match[1]!, kind: "lazy" });
  return found;
}

function importFault(path: string, { from, kind }: Import): string | undefined {
  if (!from.startsWith(".")) return undefined;
  const target = normalize(`${dirname(path)}/${from}`);
  if (!target.startsWith("src/")) return undefined;
  const [here, there] = [partOf(path), partOf(target)];
  if (here === "ops" && isOp(path) && isOp(target)) return `an op imports no op (${target})`;
  if (here === "main" && kind === "code" && target !== inEntry)
    return `main loads ${target} lazily or not at all`;
  if (here === "core" && there === "core") return roomFault(path, target);
  if (here === there) return undefined;
  const may = mayImport[here];
  if (may.code.includes(there)) return undefined;
  if (!may.types?.includes(there)) return `${here} never imports ${there} (${target})`;
  return kind === "types" ? undefined : `${here} imports only types of ${there} (${target})`;
}

function roomFault(path: string, target: string): string | undefined {
  const [here, there] = [roomOf(path), roomOf(target)];
  if (here === undefined || here === there) return undefined;
  const may = rooms[here];
  if (may === undefined) return `core has no room ${here}`;
  if (there !== undefined && may.includes(there)) return undefined;
  return `core/${here} never imports ${there ?? "the root of core"} (${target})`;
}

/** `src/core/<room>/...`; undefined: of the root. */
function roomOf(path: string): string | undefined {
  return /^src\/core\/([^/]+)\//.exec(path)?.[1];
}

function partOf(path: string): Part {
  const second = path.split("/")[1]!;
  return second === "main.ts" ? "main" : (second as Part);
}

/** `src/ops/<noun>/<verb>.ts`. */
function isOp(path: string): boolean {
  return /^src\/ops\/[^/]+\/[^/]+\.ts$/.test(path);
}

/** By lines, which is how comments are written here; positions stay as they are. */
function withoutComments(text: string): string {
  let isInside = false;
  return text
    .split("\n")
    .map((line) => {
      const words = line.trim();
      const isComment = isInside || words.startsWith("//") || words.startsWith("/*");
      if (isInside || words.startsWith("/*")) isInside = !words.includes("*/");
      if (isComment) return " ".repeat(line.length);
      const tail = line.search(/\s\/\/\s/);
      return tail === -1 ? line : line.slice(0, tail).padEnd(line.length);
    })
    .join("\n");
}
