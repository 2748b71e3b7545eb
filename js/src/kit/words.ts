/** Durations, moments and values in words: the same words as kfnb/ui/words.py. */
import type { Pair } from "../protocol.ts";

const TENTHS_BELOW = 100;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

export const TIMES = "×";

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `4 d 3 h`; empty for null. Halves are rounded up. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "";
  const tenths = Math.floor(Math.max(0, seconds) * 10 + 0.5);
  if (tenths < TENTHS_BELOW) return `${Math.floor(tenths / 10)}.${tenths % 10} s`;
  const whole = Math.floor(seconds + 0.5);
  if (whole < MINUTE) return `${whole} s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)} min ${two(whole % MINUTE)} s`;
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)} h ${two(Math.floor((whole % HOUR) / MINUTE))} min`;
  return `${Math.floor(whole / DAY)} d ${Math.floor((whole % DAY) / HOUR)} h`;
}

/** Local time, `2026-11-24 06:37:22`; empty for null. */
export function moment(epoch: number | null): string {
  if (epoch === null) return "";
  const date = new Date(epoch * 1000);
  if (Number.isNaN(date.getTime())) return "";
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${day} ${time}`;
}

/** `C = 0.5, rows = 300` */
export function assignments(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${name} = ${value}`).join(", ");
}

/** `1 task`, `3 tasks` */
export function many(count: number, word: string): string {
  return `${grouped(count)} ${word}${count === 1 ? "" : "s"}`;
}

/** `100,000` */
export function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

/** The parts that are not empty, as one line. */
export function joined(...parts: (string | false | undefined)[]): string {
  return parts.filter(Boolean).join(" · ");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

/** A value in a table's cell or a tip: numbers to five digits. */
export function brief(value: unknown): string {
  if (value === null || value === undefined) return "";
  // as Python says it
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? digits(value, 5) : String(value);
}

/** A number rounded to `most` digits, but a whole one in full; halves are rounded away from zero. */
export function digits(value: number, most: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  if (!Number.isFinite(value)) return String(value);
  const [mantissa = "", power] = value.toExponential(most - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < most) return trimmed(value.toFixed(Math.max(0, most - 1 - exponent)));
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${trimmed(mantissa)}e${exponent < 0 ? "-" : "+"}${size}`;
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// what terminals and kfnb take for twice as wide as a letter
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const NARROW = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** A text, or its beginning and an ellipsis, in at most that number of columns. */
export function cut(text: string, columns: number): string {
  const characters = [...text];
  if (characters.reduce((sum, one) => sum + columnsOf(one), 0) <= columns) return text;
  let left = columns - 1;
  const end = characters.findIndex((one) => {
    left -= columnsOf(one);
    return left < 0;
  });
  return `${characters.slice(0, end).join("").trimEnd()}…`;
}

function columnsOf(character: string): number {
  if (NARROW.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
