import type { StudyTrial } from "../../protocol.ts";
import { type Axis, valueOn } from "./axes.ts";
import type { Scale } from "./scale.ts";

/** From one number of a scale to another, both included. */
export type Range = readonly [low: number, high: number];
/** The ranges that are chosen, by the keys of their axes. */
export type Brushes = ReadonlyMap<string, Range>;

/** The numbers of the trials that are within all ranges; null where there is no range. */
export function chosenBy(
  brushes: Brushes,
  axes: readonly Axis[],
  trials: readonly StudyTrial[],
): ReadonlySet<number> | null {
  const ranges = axes.flatMap((axis) => {
    const range = brushes.get(axis.key);
    return range ? [{ axis, range }] : [];
  });
  if (!ranges.length) return null;
  const chosen = new Set<number>();
  for (const trial of trials)
    if (ranges.every(({ axis, range }) => isIn(axis, range, trial))) chosen.add(trial.number);
  return chosen;
}

function isIn(axis: Axis, [low, high]: Range, trial: StudyTrial): boolean {
  const number = axis.scale.number(valueOn(axis, trial));
  return number !== null && number >= low && number <= high;
}

/** The range between two places; at an end of the scale, it reaches to all that is there. */
export function rangeOf(scale: Scale, one: number, other: number): Range {
  const [from, to] = [Math.max(0, Math.min(one, other)), Math.min(1, Math.max(one, other))];
  const low = from <= 0 ? Number.NEGATIVE_INFINITY : scale.at(from);
  const high = to >= 1 ? Number.POSITIVE_INFINITY : scale.at(to);
  return [low, high];
}

/** The places that a range reaches from and to. */
export function placesOf(scale: Scale, [low, high]: Range): [number, number] {
  return [
    low === Number.NEGATIVE_INFINITY ? 0 : scale.place(low),
    high === Number.POSITIVE_INFINITY ? 1 : scale.place(high),
  ];
}

/** A range in words: `lr from 0.0001 to 0.01`, `act relu or tanh`. */
export function rangeText(axis: Axis, range: Range): string {
  const { scale, name } = axis;
  const [low, high] = range;
  if (scale.choices) {
    const within = scale.choices.filter((_, index) => index >= low && index <= high);
    return within.length
      ? `${name} ${within.map((_, index) => scale.words(index + Math.ceil(Math.max(0, low)))).join(" or ")}`
      : `${name} none`;
  }
  if (low === Number.NEGATIVE_INFINITY)
    return high === Number.POSITIVE_INFINITY ? name : `${name} up to ${scale.words(high)}`;
  if (high === Number.POSITIVE_INFINITY) return `${name} from ${scale.words(low)}`;
  return `${name} from ${scale.words(low)} to ${scale.words(high)}`;
}
