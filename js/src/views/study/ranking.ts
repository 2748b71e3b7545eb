import { count } from "../../kit/states.ts";
import { brief } from "../../kit/words.ts";
import type { StateName, StudyTrial } from "../../protocol.ts";

/** Classes of trials by their values, as in kfnb/resources/studies/view/ranking.py: the better ones are in front. */
export const CLASSES = 5;

// of those without a value: which comes first in a table
const RANKS: Partial<Record<StateName, number>> = {
  SUCCEEDED: 0,
  EARLY_STOPPED: 0,
  RUNNING: 1,
  PENDING: 2,
  KILLED: 3,
  FAILED: 4,
  METRICS_UNAVAILABLE: 4,
};

const WITHOUT_END: ReadonlySet<StateName> = new Set(["RUNNING", "PENDING", "KILLED"]);

/** A trial that ran to its end and left a number. */
export type Measured = StudyTrial & { value: number };

/** How a study's trials stand to each other. */
export class Ranking {
  /** Those that ran to their end, the best first. */
  readonly ranked: readonly Measured[];
  /** Those that were better than all before them. */
  readonly records: readonly Measured[];
  readonly counts;
  readonly #classes = new Map<number, number>();

  constructor(
    readonly all: readonly StudyTrial[],
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

  /** All trials, as a table has them: the ranked ones, then those that were stopped, still run, or failed. */
  bestFirst(): StudyTrial[] {
    const rest = this.all.filter((trial) => !isMeasured(trial));
    rest.sort((one, other) => rank(one.state) - rank(other.state) || one.number - other.number);
    return [...this.ranked, ...rest];
  }
}

export function isMeasured(trial: StudyTrial): trial is Measured {
  return trial.state === "SUCCEEDED" && typeof trial.value === "number";
}

export function isBroken(trial: StudyTrial): boolean {
  return trial.state === "FAILED" || trial.state === "METRICS_UNAVAILABLE";
}

/** Running trials come before failed ones. */
function rank(state: StateName): number {
  return RANKS[state] ?? Number.POSITIVE_INFINITY;
}

/** A trial's value; the last intermediate value of one that was stopped. */
export function lastValue(trial: StudyTrial): number | null {
  return trial.value ?? trial.curve?.at(-1) ?? null;
}

/** A trial's parameters in a line: `lr = 0.001, layers = 3`. */
export function paramsOf(trial: StudyTrial): string {
  return Object.entries(trial.params ?? {})
    .map(([name, value]) => `${name} = ${brief(value)}`)
    .join(", ");
}
