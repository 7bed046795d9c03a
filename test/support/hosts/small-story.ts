/** What an agent does in any host that groups the tools: makes workers, waits, reads, meets an error, cleans up. */
export interface StoryCall {
  tool: string;
  arguments: Record<string, unknown>;
}

/** `toolNamed`: what the host calls the tool of a group. */
export function storyCalls(toolNamed: (group: string) => string): StoryCall[] {
  const call = (group: string, op: string, args: Record<string, unknown>) => ({
    tool: toolNamed(group),
    arguments: { op, ...args },
  });
  // It speaks all the time: a stream that is silent for 8 seconds would fail, and a host may be slower than that.
  const slow = JSON.stringify([{ say: "tick ", repeat: 90, deltas: 90, delta_ms: 1000 }]);
  const workers = [
    { name: "worker", text: "hello" },
    { name: "slow", text: slow },
  ];
  return [
    call("thread_write", "new", { threads: workers }),
    call("thread_read", "wait", { threads: ["@worker"] }),
    // Longer than the 5 seconds after which a client of the Python SDK gives up by default.
    call("thread_read", "wait", { threads: ["@slow"], timeout: 6 }),
    call("thread_read", "list", {}),
    call("thread_read", "get", { thread: "@nobody" }),
    call("message_write", "send", { thread: "@worker", text: "and again", wait: true }),
    call("message_write", "stop", { thread: "@slow" }),
    call("thread_write", "archive", { threads: ["@worker", "@slow"] }),
  ];
}

/** What each output must contain. */
const expected: readonly (readonly string[])[] = [
  ['"title":"worker"', '"title":"slow"'],
  ["ok: hello", '"verdict":"ok"'],
  ['"verdict":"timeout"', "call wait again"],
  ['"title":"worker"', '"title":"slow"'],
  ["not_found (retry no)"],
  ["ok: and again"],
  ['"state":"stopped"'],
  ['"status":"archived"'],
];

/** The outputs that are not as they must be, with what they lack. */
export function faultsIn(outputs: readonly string[]): string[] {
  return expected.flatMap((parts, at) => {
    const missing = parts.filter((part) => outputs[at]?.includes(part) !== true);
    return missing.length === 0 ? [] : [`call ${at + 1} lacks ${missing.join(" and ")}: ${outputs[at]}`];
  });
}
