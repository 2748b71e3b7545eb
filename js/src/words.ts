/** Durations, moments and values in words: the same words as kfnb/ui/words.py. */
import type { Pair } from "./protocol.ts";

const TENTHS_BELOW = 9.95;
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

export const TIMES = "×";

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `4 d 3 h`; empty for null. */
export function duration(seconds: number | null): string {
  if (seconds === null || !Number.isFinite(seconds)) return "";
  if (seconds < TENTHS_BELOW) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
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
