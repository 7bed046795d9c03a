/** The words of dispatch: `dispatch help WORD`, and a table of README. Each means one thing everywhere. */
export const glossary = {
  thread: "Codex's: a conversation. dispatch manages those that it created (own) or that you attached.",
  turn: "Codex's: one exchange in a thread, from a text to the end of the work on it.",
  item: "Codex's: one thing in a turn, such as a message, a command or a change of files.",
  ref: "The stable short name of a managed thread, such as k3x9tz. It is never used again for another thread.",
  handle: "@docs: a label made from the title. It may change, and is a convenience.",
  self: "The thread that the caller runs in.",
  own: "A thread that dispatch created and alone writes.",
  attached: "A thread that another app writes. take takes it over, give gives it back.",
  message: "A text that you gave to deliver. Its receipt shows its state.",
  receipt:
    "The id of a message; Codex gets the same id. It is printed when the text is stored on disk, and says later what became of it: receipt get.",
  unsure:
    "It is not known whether Codex got the text. It is never sent again by itself: receipt reconcile, receipt resolve.",
  queue: "The texts of a thread that wait: first in, first out, one turn for each.",
  hold: "A flag on a thread, with a reason, that keeps its queue waiting: queue release.",
  blocked:
    "Codex refuses the thread's text for good, or opens it without end, until something is changed. get names it.",
  request:
    "A question that Codex asks while a turn runs, for example an approval: request list, request answer.",
  attention:
    "A question, a failed turn, a hold, an unsure receipt, a turn that only retries, or a blocked thread.",
  event: "A row of the durable log: what happened, when, in which thread.",
  cursor: "A position in the log or in a list, to go on from: events --since CURSOR, list --cursor CURSOR.",
  epoch: "One life of the codex app-server process.",
  preset: "Settings of new under one name, in the configuration.",
  trigger: "Does something at a time, or when something happens: trigger add.",
  subscription: "Wakes a thread when others are done, fail or wait: subscribe.",
  inbox: "Messages that wait until they are read, of a thread or of you. They wake nobody.",
} as const;
