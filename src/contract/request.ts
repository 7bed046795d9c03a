/** The requests of Codex, and their answers. */
import * as v from "valibot";
import { orNull, time } from "./shape.ts";
import { changeKinds, requestKinds, requestStates } from "./words.ts";

/** What is done to one file; `to` is the new path of a move. */
export const fileChange = { path: v.string(), kind: v.picklist(changeKinds), to: orNull(v.string()) };

export const requestView = {
  id: v.string(),
  kind: v.picklist(requestKinds),
  thread: v.string(),
  turn_id: orNull(v.string()),
  sub_agent: orNull(v.string()),
  state: v.picklist(requestStates),
  summary: v.string(),
  reason: orNull(v.string()),
  command: orNull(v.string()),
  cwd: orNull(v.string()),
  /** An approval may let something happen outside the sandbox; true also when that is not known. */
  outside_sandbox: v.boolean(),
  /** Null: not a file change, or Codex did not report the files. `diff` joins the diffs of all files. */
  changes: orNull(v.array(v.object({ ...fileChange, diff: v.string() }))),
  diff: orNull(v.string()),
  /** A file change: the folder that an approval keeps writable. */
  grant_root: orNull(v.string()),
  permissions: orNull(v.record(v.string(), v.unknown())),
  network: orNull(v.object({ host: v.string(), protocol: v.string() })),
  questions: orNull(
    v.array(
      v.object({
        id: v.string(),
        header: v.string(),
        question: v.string(),
        options: orNull(v.array(v.object({ label: v.string(), description: v.string() }))),
        is_other: v.boolean(),
        is_secret: v.boolean(),
      }),
    ),
  ),
  tool: orNull(
    v.object({
      server: orNull(v.string()),
      name: v.string(),
      description: orNull(v.string()),
      arguments: v.unknown(),
    }),
  ),
  form: orNull(
    v.object({
      mode: v.string(),
      server: v.string(),
      message: v.string(),
      schema: orNull(v.record(v.string(), v.unknown())),
      url: orNull(v.string()),
    }),
  ),
  options: v.array(v.string()),
  /** A part of the command, the changes or the details is missing here. */
  truncated: v.boolean(),
  /** The bytes that were over the limit and are not stored; 0 when only a list leaves something out. */
  missing_bytes: v.number(),
  asked_at: time,
  expires_at: orNull(time),
  answered_by: orNull(v.string()),
  decision: orNull(v.string()),
};

export const requestObject = v.object(requestView);

export type RequestView = v.InferOutput<typeof requestObject>;
