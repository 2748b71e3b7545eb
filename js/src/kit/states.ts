/** How a state looks, as in kfnb/ui/states.py: an icon, a word and a colour, of which two suffice. */
import type { StateName } from "../protocol.ts";

export interface StateStyle {
  word: string;
  /** The name of a CSS variable. */
  colour: string;
  /** The sign in a 16 by 16 square, as an SVG path. */
  sign: string;
  /** Whether the sign is on a disc, not in a ring. */
  solid: boolean;
}

const STYLES: Record<StateName, StateStyle> = {
  PENDING: { word: "Pending", colour: "grey", sign: "", solid: false },
  RUNNING: { word: "Running", colour: "blue", sign: "M6.8 5.4 L10.6 8 L6.8 10.6 Z", solid: true },
  SUCCEEDED: { word: "Succeeded", colour: "green", sign: "M4.6 8.3 L7 10.6 L11.4 5.8", solid: true },
  FAILED: { word: "Failed", colour: "red", sign: "M5.4 5.4 L10.6 10.6 M10.6 5.4 L5.4 10.6", solid: true },
  SKIPPED: { word: "Skipped", colour: "grey", sign: "M4.2 11.8 L11.8 4.2", solid: false },
  CANCELING: { word: "Canceling", colour: "amber", sign: "M6 6 H10 V10 H6 Z", solid: false },
  CANCELED: { word: "Canceled", colour: "amber", sign: "M5.8 5.8 H10.2 V10.2 H5.8 Z", solid: true },
  PAUSED: { word: "Paused", colour: "amber", sign: "M6.3 5.2 V10.8 M9.7 5.2 V10.8", solid: true },
  EARLY_STOPPED: { word: "Early stopped", colour: "amber", sign: "M5 8 H11", solid: true },
  METRICS_UNAVAILABLE: {
    word: "No metrics",
    colour: "red",
    sign: "M6.2 6.4 A1.9 1.9 0 1 1 8 8.5 V9.2 M8 11.3 V11.4",
    solid: false,
  },
  KILLED: { word: "Killed", colour: "amber", sign: "M5.8 5.8 H10.2 V10.2 H5.8 Z", solid: true },
};

export const STATES = Object.keys(STYLES) as StateName[];

/** The states of trials: those that ended, then those that run. */
export const TRIAL_STATES: readonly StateName[] = [
  "SUCCEEDED",
  "EARLY_STOPPED",
  "KILLED",
  "FAILED",
  "METRICS_UNAVAILABLE",
  "RUNNING",
  "PENDING",
];

// of several tasks, the first of these that one of them is in tells most
const PRECEDENCE: StateName[] = ["FAILED", "CANCELING", "RUNNING", "PAUSED", "CANCELED"];
const FINISHED = new Set<StateName>([
  "SUCCEEDED",
  "FAILED",
  "SKIPPED",
  "CANCELED",
  "EARLY_STOPPED",
  "METRICS_UNAVAILABLE",
  "KILLED",
]);

/** How many tasks are in which state. */
export type Counts = Map<StateName, number>;

/** How `state` is shown; one that a newer kernel has is shown by its own word. */
export function styleOf(state: StateName): StateStyle {
  return STYLES[state] ?? { ...STYLES.PENDING, word: String(state) };
}

/** Whether nothing more will happen. */
export function isOver(state: StateName): boolean {
  return FINISHED.has(state);
}

export function count(states: Iterable<StateName>): Counts {
  const counts: Counts = new Map();
  for (const state of states) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** One state for several tasks: failed, else still running, else what all came to. */
export function overall(counts: Counts): StateName {
  const telling = PRECEDENCE.find((state) => counts.has(state));
  if (telling) return telling;
  if (counts.has("PENDING")) return counts.has("SUCCEEDED") ? "RUNNING" : "PENDING";
  return counts.has("SUCCEEDED") ? "SUCCEEDED" : "SKIPPED";
}

/** `3 Succeeded, 1 Failed` */
export function tally(counts: Counts): string {
  return inOrder(counts)
    .map(([state, number]) => `${number} ${styleOf(state).word}`)
    .join(", ");
}

export function inOrder(counts: Counts, order: readonly StateName[] = STATES): [StateName, number][] {
  return [...counts].sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
}

export function total(counts: Counts): number {
  let sum = 0;
  for (const number of counts.values()) sum += number;
  return sum;
}

export function over(counts: Counts): number {
  let sum = 0;
  for (const [state, number] of counts) if (isOver(state)) sum += number;
  return sum;
}
