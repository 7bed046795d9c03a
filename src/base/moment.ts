/** Moments as people write them, in the zone of the process that reads them. */
import { iso } from "./clock.ts";

const withZone = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/i;
const local = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d))?)?$/;
const age = /^(\d{1,6})\s*([smhdw])$/;
const msOf: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** In the form that needs no zone to be read. */
export function isMoment(text: string): boolean {
  return withZone.test(text) && !Number.isNaN(Date.parse(text));
}

/** ISO-8601 UTC; what is no moment comes back as it is. A day alone means its first ms or its last. */
export function momentOf(text: string, end: "first" | "last", now: number): string {
  if (isMoment(text)) return iso(Date.parse(text));
  const words = text.trim().toLowerCase();
  const [, count, unit] = age.exec(words) ?? [];
  if (unit !== undefined) return iso(now - Number(count) * msOf[unit]!);
  const today = new Date(now);
  const day = (back: number) => [today.getFullYear(), today.getMonth(), today.getDate() - back] as const;
  if (words === "today") return dayOf(day(0), end);
  if (words === "yesterday") return dayOf(day(1), end);
  const [, year, month, date, hour, minute, second] = local.exec(text.trim()) ?? [];
  if (year === undefined) return text;
  const [y, m, d] = [Number(year), Number(month) - 1, Number(date)];
  const check = new Date(y, m, d);
  // Date turns the 31st of February into March: nobody meant that.
  if (check.getMonth() !== m || check.getDate() !== d) return text;
  if (hour === undefined) return dayOf([y, m, d], end);
  const at = new Date(y, m, d, Number(hour), Number(minute), Number(second ?? 0));
  return at.getHours() === Number(hour) ? iso(at.getTime()) : text;
}

/** The day of that moment in the zone of this process: YYYY-MM-DD. */
export function localDay(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The first moment of the day after that of `ms`. */
export function nextLocalDay(ms: number): number {
  const at = new Date(ms);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1).getTime();
}

/** By the calendar and not by 24 hours: a day of a change of clocks is 23 or 25 long. */
function dayOf([year, month, date]: readonly [number, number, number], end: "first" | "last"): string {
  return iso(
    end === "first" ? new Date(year, month, date).getTime() : new Date(year, month, date + 1).getTime() - 1,
  );
}
