import { signal } from "@preact/signals";

/** How a person reads logs: whether they stay at the end, what is looked for, and which lines are shown. */
export class Reading {
  readonly follow = signal(true);
  readonly find = signal("");
  /** Whether what is looked for is a regular expression, and whether only lines with it are shown. */
  readonly regular = signal(false);
  readonly only = signal(false);
  /** The least level that is shown, and the moment from which on; 0 for all. */
  readonly level = signal(0);
  readonly since = signal(0);
  /** The ranks of a training whose lines are shown, side by side; none for all lines in the order of time. */
  readonly ranks = signal<readonly number[]>([]);
}
