import type { State, Trial } from "../protocol.ts";
import { count } from "../states.ts";

/** Classes of trials by their values, as in kfnb/resources/studies/view/ranking.py: the better ones are in front. */
export const CLASSES = 5;

const REST: readonly State[] = [
  "EARLY_STOPPED",
  "RUNNING",
  "PENDING",
  "KILLED",
  "FAILED",
  "METRICS_UNAVAILABLE",
];

const WITHOUT_END: ReadonlySet<State> = new Set(["RUNNING", "PENDING", "KILLED"]);

/** A trial that ran to its end and left a number. */
export type Measured = Trial & { value: number };

/** How a study's trials stand to each other. */
export class Standing {
  /** Those that ran to their end, the best first. */
  readonly ranked: readonly Measured[];
  /** Those that were better than all before them. */
  readonly records: readonly Measured[];
  readonly counts;
  readonly #classes = new Map<number, number>();

  constructor(
    readonly all: readonly Trial[],
    readonly maximize: boolean,
  ) {
    const sign = maximize ? -1 : 1;
    const measured = all.filter(isMeasured);
    const better = (one: number, other: number) => (one - other) * sign < 0;
    let best: number | null = null;
    this.records = measured.filter(({ value }) => {
      if (best !== null && !better(value, best)) return false;
      best = value;
      return true;
    });
    this.ranked = measured.sort(
      (one, other) => (one.value - other.value) * sign || one.number - other.number,
    );
    this.counts = count(all.map((trial) => trial.state));
    this.ranked.forEach((trial, index) => {
      this.#classes.set(trial.number, CLASSES - 1 - Math.floor((index * CLASSES) / this.ranked.length));
    });
  }

  get best(): Measured | null {
    return this.ranked[0] ?? null;
  }

  get median(): number | null {
    const last = this.ranked.length - 1;
    const [one, other] = [this.ranked[Math.floor(last / 2)], this.ranked[Math.ceil(last / 2)]];
    return one && other ? (one.value + other.value) / 2 : null;
  }

  /** How many have ended, but for the killed ones, which do not count. */
  get done(): number {
    return this.all.filter(({ state }) => !WITHOUT_END.has(state)).length;
  }

  /** The class of a trial, the worst being 0; -1 for one without a value. */
  classOf(number: number): number {
    return this.#classes.get(number) ?? -1;
  }

  /** All trials, as a table has them: the ranked ones, then those that were stopped, go on, or failed. */
  bestFirst(): Trial[] {
    const rest = this.all.filter((trial) => !isMeasured(trial));
    rest.sort((one, other) => rank(one.state) - rank(other.state) || one.number - other.number);
    return [...this.ranked, ...rest];
  }
}

export function isMeasured(trial: Trial): trial is Measured {
  return trial.state === "SUCCEEDED" && typeof trial.value === "number";
}

export function isBroken(trial: Trial): boolean {
  return trial.state === "FAILED" || trial.state === "METRICS_UNAVAILABLE";
}

/** What goes on comes before what failed. */
function rank(state: State): number {
  return REST.indexOf(state);
}

/** A trial's value; of one that was stopped, the last on its way. */
export function lastValue(trial: Trial): number | null {
  return trial.value ?? trial.curve?.at(-1) ?? null;
}

/** A trial's parameters in a line: `lr = 0.001, layers = 3`. */
export function paramsOf(trial: Trial): string {
  return Object.entries(trial.params ?? {})
    .map(([name, value]) => `${name} = ${brief(value)}`)
    .join(", ");
}

/** A value in a table's cell or a tip: numbers to five digits. */
export function brief(value: unknown): string {
  if (value === null || value === undefined) return "";
  // as Python says it
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? digits(value, 5) : String(value);
}

/** A number to so many digits, without zeros at its end: as Python's `%g` says it. */
export function digits(value: number, most: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  const [mantissa = "", power] = value.toExponential(most - 1).split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < most) return trimmed(value.toFixed(Math.max(0, most - 1 - exponent)));
  const size = String(Math.abs(exponent)).padStart(2, "0");
  return `${trimmed(mantissa)}e${exponent < 0 ? "-" : "+"}${size}`;
}

function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
