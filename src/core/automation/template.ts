/** `{{thread.title}}` and the like in the text of an action. What is filled in is data: cleaned, and of limited length. */
import { fail } from "../../base/error.ts";
import { limits } from "../../base/limits.ts";
import { block } from "../../base/text.ts";
import { clip } from "../model/clip.ts";

const variable = /\{\{\s*([\w.]+)\s*\}\}/g;

const fixed = [
  "thread.ref",
  "thread.id",
  "thread.title",
  "thread.handle",
  "thread.cwd",
  "turn.id",
  "turn.status",
  "turn.error",
  "turn.last_message",
  "event.kind",
  "event.at",
  "event.seq",
  "trigger.name",
  "trigger.slot",
] as const;
export type Variable = (typeof fixed)[number];

/** Throws `usage`: a variable that there is not, with those that there are. */
export function checkTemplate(text: string): void {
  for (const [, name] of text.matchAll(variable))
    if (!(fixed as readonly string[]).includes(name!) && !/^event\.data\.\w+$/.test(name!))
      fail("usage", `the text has no variable {{${name!.slice(0, limits.error.valueCharsMax)}}}`, {
        hint: `use ${fixed.map((one) => `{{${one}}}`).join(" ")} or {{event.data.FIELD}}`,
      });
}

export function render(text: string, values: Partial<Record<string, string | number | null>>): string {
  return text.replace(variable, (_, name: string) => {
    const value = values[name];
    return value === undefined || value === null
      ? ""
      : block(clip(String(value), limits.automation.valueCharsMax));
  });
}
