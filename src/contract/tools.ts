/**
 * The tools that a thread made with `--tools` has. Codex keeps the names and schemas in the thread for ever and offers
 * them again after each resume and in each fork (facts F71). So the names, fields and choices of a version never change:
 * a change gets a new namespace, and every daemon goes on answering the old ones. The version is in the namespace, as in
 * Codex's own `multi_agent_v1`, so that the names of the tools stay the ones that texts and hints use.
 */

/** The version that new threads get. */
export const toolNamespace = "dispatch_v1";

/** A namespace of dispatch, of any version. */
export function isToolNamespace(name: string): boolean {
  return /^dispatch_v\d+$/.test(name);
}

type Field = { type: string; description: string; enum?: readonly string[]; items?: { type: string } };

export interface ToolText {
  description: string;
  properties: Readonly<Record<string, Field>>;
  required: readonly string[];
}

const text = (description: string): Field => ({ type: "string", description });
const choice = (description: string, words: readonly string[]): Field => ({
  type: "string",
  description,
  enum: [...words],
});
const flag = (description: string): Field => ({ type: "boolean", description });
const amount = (description: string): Field => ({ type: "number", description });
const texts = (description: string): Field => ({
  type: "array",
  items: { type: "string" },
  description,
});

export const namespaceText =
  "Other Codex threads of this user, through dispatch. A thread is named by its ref, its @handle or its exact title.";

export const toolsV1 = {
  dispatch_new: {
    description:
      "Make a thread and send it its first text. It may do no more than this thread; what you leave out is as here or as configured.",
    properties: {
      name: text("its title"),
      text: text("the first text"),
      cwd: text("its directory, absolute"),
      preset: texts("presets of the configuration"),
      model: text("the model"),
      effort: text("reasoning effort"),
      sandbox: choice("what its commands may access", ["read-only", "workspace-write", "danger-full-access"]),
      approval_policy: choice("when it asks before it runs a command", ["untrusted", "on-request", "never"]),
      tools: flag("give it these tools too"),
      subscribe: flag("send this thread a message when it is done"),
    },
    required: ["name"],
  },
  dispatch_send: {
    description:
      "Send a text to a thread. It is stored before this returns; the thread works on it by itself.",
    properties: {
      thread: text("the thread"),
      text: text("the text"),
      mode: choice(
        "send (default) starts a turn and is refused while one runs; queue: after the texts before it; steer: into the running turn; interject: interrupts the running turn; context: starts no turn",
        ["send", "queue", "steer", "interject", "context"],
      ),
    },
    required: ["thread", "text"],
  },
  dispatch_wait: {
    description:
      "Wait until threads are done, and read their last messages. Returns after 45 s at the latest.",
    properties: {
      threads: texts("the threads, or receipts"),
      for: choice("done (default), idle, waiting (a question is open) or attention", [
        "done",
        "idle",
        "waiting",
        "attention",
      ]),
      any: flag("return when one of them is"),
      timeout: amount("seconds, instead of 45"),
    },
    required: ["threads"],
  },
  dispatch_list: {
    description: "List the threads, newest activity first.",
    properties: {
      status: choice("only with this status", [
        "idle",
        "busy",
        "waiting",
        "error",
        "blocked",
        "archived",
        "gone",
        "unknown",
      ]),
      limit: amount("at most this many, instead of 20"),
    },
    required: [],
  },
  dispatch_inbox: {
    description: "The inbox of this thread: messages that wake nobody.",
    properties: {
      action: choice("list (default); ack: mark as read; post: write one", ["list", "ack", "post"]),
      ids: texts("for ack: the messages"),
      text: text("for post: the message"),
      thread: text("for post: whose inbox; left out, it is the person's"),
    },
    required: [],
  },
} as const satisfies Readonly<Record<string, ToolText>>;
