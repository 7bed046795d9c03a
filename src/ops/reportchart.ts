/** The time line of a thread as inline SVG. Its width is that of the page; times are thousandths of the period. */
import { limits } from "../base/limits.ts";
import { span } from "../base/text.ts";
import type { Report, ReportedThread } from "../contract/report.ts";
import { escapeHtml } from "./reportescape.ts";

const width = 1000;

export interface Scale {
  /** Of an ISO time: 0 to 1000, the ends of the period at most. */
  x(at: string | null): number;
  /** `Nov 28, 09:15` in the reader's zone. */
  full(at: string): string;
  ticks: readonly { x: number; label: string }[];
}

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  30 * day,
  365 * day,
];
const ticksMax = 7;

export function scaleOf({ since, until }: Report, zone: string): Scale {
  const [from, to] = [Date.parse(since), Date.parse(until)];
  const length = Math.max(1, to - from);
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat("en-GB", { timeZone: zone, ...options });
  const clock = format({ hour: "2-digit", minute: "2-digit" });
  const date = format({ day: "numeric", month: "short" });
  const full = format({ day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  const step = steps.find((one) => length / one <= ticksMax) ?? steps.at(-1)!;
  const place = (ms: number) =>
    Math.round(((Math.min(Math.max(ms, from), to) - from) / length) * width * 10) / 10;
  const ticks: { x: number; label: string }[] = [];
  for (let at = firstTick(from, step, zone); at < to; at += step)
    // A label at the right edge would be cut.
    if (at >= from && place(at) < width * 0.96) {
      const time = clock.format(at);
      ticks.push({ x: place(at), label: step >= day || time === "00:00" ? date.format(at) : time });
    }
  return {
    x: (at) => place(at === null ? to : Date.parse(at)),
    full: (at) => full.format(Date.parse(at)),
    ticks,
  };
}

/** The last round time of the zone at or before `from`. A change of the clock inside the period moves later ticks. */
function firstTick(from: number, step: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  }).formatToParts(from);
  const part = (type: string) => Number(parts.find((one) => one.type === type)!.value);
  const local = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  const offset = local - Math.floor(from / 1000) * 1000;
  return Math.floor((from + offset) / step) * step - offset;
}

export const legend = `<p class="legend" aria-hidden="true"><span class="ok">turn</span><span class="bad">failed</span><span class="cut">interrupted</span><span class="run">running</span><span class="ask">waits for an answer</span><span class="que">text in the queue</span></p>`;

export function axis({ ticks }: Scale): string {
  const labels = ticks.map(({ x, label }) => `<span style="left:${x / 10}%">${escapeHtml(label)}</span>`);
  return `<div class="axis" aria-hidden="true">${labels.join("")}</div>`;
}

const classes = { completed: "ok", failed: "bad", interrupted: "cut", in_progress: "run" } as const;

interface Bar {
  from: number;
  to: number;
  kind: string;
  y: number;
  height: number;
  words: string;
}

/** `label`: escaped already. */
export function chart(thread: ReportedThread, scale: Scale, label: string): string {
  const bars = barsOf(thread, scale);
  const lines = scale.ticks.map(({ x }) => `<path class="grid" d="M${x} 0v30"/>`).join("");
  const drawn = bars.length > limits.report.titledBarsMax ? merged(bars) : bars.map(titled).join("");
  return `<svg viewBox="0 0 ${width} 30" preserveAspectRatio="none" role="img" aria-label="${label}">${lines}${drawn}</svg>`;
}

function barsOf({ turns_list, requests_list, queued_list }: ReportedThread, scale: Scale): Bar[] {
  const bar = (
    at: string,
    end: string | null,
    rest: Omit<Bar, "from" | "to" | "words">,
    what: string,
  ): Bar => {
    const took = end === null ? "" : `, ${span(Math.round((Date.parse(end) - Date.parse(at)) / 1000))}`;
    return { from: scale.x(at), to: scale.x(end), ...rest, words: `${scale.full(at)}: ${what}${took}` };
  };
  return [
    ...queued_list.map((one) =>
      bar(one.accepted_at, one.claimed_at, { kind: "que", y: 25, height: 3 }, "text in the queue"),
    ),
    ...turns_list
      // A turn whose end nobody saw: no length is true.
      .filter((one) => one.completed_at !== null || one.status === "in_progress")
      .map((one) => {
        const kind = classes[one.status];
        const shape = kind === "bad" ? { y: 4, height: 20 } : { y: 8, height: 14 };
        return bar(
          one.started_at,
          one.completed_at,
          { kind, ...shape },
          `turn ${one.status.replace("_", " ")}`,
        );
      }),
    ...requests_list.map((one) =>
      bar(
        one.asked_at,
        one.closed_at,
        { kind: "ask", y: 0, height: 4 },
        `waits for an answer: ${one.summary}`,
      ),
    ),
  ];
}

/** So that a short turn is seen on a wide axis. */
const widthMin = 1.5;
const widthOf = ({ from, to }: Bar) => Math.round(Math.max(widthMin, to - from) * 10) / 10;

function titled(bar: Bar): string {
  return `<rect class="${bar.kind}" x="${bar.from}" y="${bar.y}" width="${widthOf(bar)}" height="${bar.height}"><title>${escapeHtml(bar.words)}</title></rect>`;
}

/** Very many bars: one shape for each kind, without words of their own. */
function merged(bars: readonly Bar[]): string {
  return [...Map.groupBy(bars, ({ kind }) => kind)]
    .map(([kind, of]) => {
      const shapes = of.map((bar) => `M${bar.from} ${bar.y}h${widthOf(bar)}v${bar.height}h-${widthOf(bar)}z`);
      return `<path class="${kind}" d="${shapes.join("")}"/>`;
    })
    .join("");
}
