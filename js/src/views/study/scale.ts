/** The place of a value on an axis: the same as kfnb/resources/studies/view/scale.py. */
import { brief, cut, digits } from "../../kit/words.ts";
import type { Scalar, StudyDimension } from "../../protocol.ts";

const WIDE = 200;
const LARGEST = 1e100;
const FAR = 10;
const EDGE = 0.04;
const MOST_CHOICES = 12;
const LONG = 14;

export interface Tick {
  at: number;
  text: string;
}

/** An axis from 0 to 1. Numbers stand for values: of a choice, the number of it. */
export interface Scale {
  ticks: readonly Tick[];
  log: boolean;
  /** Whether values beyond an end are drawn at it. */
  clipped: boolean;
  /** The choices, where it is a scale of choices. */
  choices: readonly Scalar[] | null;
  /** The number of a value; null where it is none of the scale's. */
  number(value: Scalar | undefined): number | null;
  /** The place of a number. */
  place(number: number): number;
  /** The number at a place. */
  at(place: number): number;
  /** A number in words. */
  words(number: number): string;
}

/** The note of a chart with this axis; empty where all values are at their places. */
export function noteOf({ clipped }: Scale): string {
  return clipped ? "far worse ones are at the edge" : "";
}

export function dimensionScale(dimension: StudyDimension, ticks = 5): Scale {
  if (dimension.kind === "choice") return choices(dimension.choices);
  const { low, high } = dimension;
  if (dimension.log && low > 0 && low < high) return logarithmic(low, high);
  return even(low, high, ticks, dimension.kind === "int");
}

/** A scale on which all values fit: by logarithm where they are of many sizes. */
export function numberScale(low: number, high: number, ticks = 5): Scale {
  if (isOfManySizes(low, high)) {
    const room = (high / low) ** EDGE;
    return logarithmic(low / room, high * room);
  }
  const room = (high - low) * EDGE;
  return even(low - room, high + room, ticks, false);
}

/** A scale for values of an objective: a few that are far worse than the others stand at its end. */
export function valueScale(values: readonly number[], maximize: boolean, ticks = 5): Scale {
  if (!values.length) return numberScale(0, 1, ticks);
  const ordered = [...values].sort((one, other) => (maximize ? other - one : one - other));
  const best = ordered[0] as number;
  const worst = ordered[ordered.length - 1] as number;
  const [low, high] = [Math.min(best, worst), Math.max(best, worst)];
  const usual = ordered[Math.floor((3 * ordered.length) / 4)] as number;
  const far = FAR * Math.abs(usual - best);
  if (isOfManySizes(low, high) || Math.abs(worst - best) <= far) return numberScale(low, high, ticks);
  const last = ordered.findLast((value) => Math.abs(value - best) <= far) as number;
  return { ...numberScale(Math.min(best, last), Math.max(best, last), ticks), clipped: true };
}

function isOfManySizes(low: number, high: number): boolean {
  return low > 0 && high / low > WIDE && high / low < LARGEST;
}

function even(from: number, to: number, count: number, whole: boolean): Scale {
  let [low, high] = [from, to];
  if (high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high), 1e-9)) {
    low -= Math.abs(low) * 0.1 || 1;
    high += Math.abs(high) * 0.1 || 1;
  }
  const place = (number: number) => between((number - low) / (high - low));
  return {
    ticks: roundTicks(low, high, count)
      .filter((tick) => !whole || Number.isInteger(tick))
      .map((tick) => ({ at: place(tick), text: digits(tick, 6) })),
    log: false,
    clipped: false,
    choices: null,
    number: numeric,
    place,
    at: (share) => low + share * (high - low),
    words: (number) => brief(whole ? Math.round(number) : number),
  };
}

function logarithmic(low: number, high: number): Scale {
  const start = Math.log10(low);
  const span = Math.log10(high) - start;
  const place = (number: number) => (number > 0 ? between((Math.log10(number) - start) / span) : 0);
  return {
    ticks: powers(low, high).map((tick) => ({ at: place(tick), text: digits(tick, 6) })),
    log: true,
    clipped: false,
    choices: null,
    number: numeric,
    place,
    at: (share) => 10 ** (start + share * span),
    words: (number) => digits(number, 3),
  };
}

function choices(all: readonly Scalar[]): Scale {
  const index = new Map(all.map((choice, number) => [key(choice), number]));
  const every = Math.ceil(all.length / MOST_CHOICES);
  const place = (number: number) => between((number + 0.5) / Math.max(1, all.length));
  return {
    ticks: all.flatMap((choice, number) =>
      number % every ? [] : [{ at: place(number), text: cut(brief(choice), LONG) }],
    ),
    log: false,
    clipped: false,
    choices: all,
    number: (value) => (value === undefined ? null : (index.get(key(value)) ?? null)),
    place,
    at: (share) => share * all.length - 0.5,
    words: (number) => brief(all[Math.max(0, Math.min(all.length - 1, Math.round(number)))]),
  };
}

function numeric(value: Scalar | undefined): number | null {
  return typeof value === "number" ? value : null;
}

function key(value: Scalar): string {
  return `${typeof value} ${value}`;
}

function between(share: number): number {
  return Math.min(1, Math.max(0, share));
}

/** About `count` round numbers between two. */
function roundTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / count;
  const ten = 10 ** Math.floor(Math.log10(rough));
  const step = ten * ([1, 2, 5].find((times) => ten * times >= rough * 0.999) ?? 10);
  const [first, last] = [Math.ceil(low / step), Math.floor(high / step)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

/** Powers of ten, a few; of a short scale, also 2 and 5 times as much. */
function powers(low: number, high: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
  const found: number[] = [];
  if (last > first) {
    const step = Math.max(1, Math.ceil((last - first) / 5));
    for (let power = first; power <= last; power += step) found.push(10 ** power);
    return found;
  }
  for (let power = first - 1; power <= last; power++)
    for (const times of [1, 2, 5]) {
      const tick = 10 ** power * times;
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) found.push(tick);
    }
  return found;
}
