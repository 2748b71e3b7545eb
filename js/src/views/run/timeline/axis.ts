import { duration } from "../../../kit/words.ts";

const MINUTE = 60;
const HOUR = 3600;
const STEPS = [
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  15,
  30,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
];
const DAY = 24 * HOUR;

export interface Tick {
  at: number;
  text: string;
}

/** Round moments of the first `span` seconds, at most `most` of them. */
export function ticks(span: number, most: number): Tick[] {
  const step = STEPS.find((one) => span / one <= most) ?? DAY * Math.ceil(span / most / DAY);
  const count = Math.floor(span / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => {
    const at = index * step;
    return { at, text: index ? words(at) : "0" };
  });
}

/** A whole minute needs no seconds, a whole hour no minutes. */
function words(seconds: number): string {
  if (seconds < MINUTE) return `${Number(seconds.toFixed(1))} s`;
  return duration(seconds).replace(/ 00? (s|min|h)$/, "");
}
