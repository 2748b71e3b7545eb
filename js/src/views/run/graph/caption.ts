/** The text under a node's title. */

import { type Counts, count, over, overall, styleOf, tally, total } from "../../../kit/states.ts";
import { joined } from "../../../kit/words.ts";
import type { RunTask, StateName } from "../../../protocol.ts";
import type { Stack } from "../stack.ts";

/** A node's state; that of what is in it where the kernel never named the group itself. */
export function stateOf(stack: Stack): StateName {
  return overall(stack.tasks.size ? stack.counts : countsOf(stack));
}

/** What runs in a node, by state. */
export function countsOf(stack: Stack): Counts {
  return stack.group ? count([...stack.work()].map((task) => task.state)) : stack.counts;
}

/** A group in few words: a branch by what was decided, else how much of it is done. */
export function ofGroup(stack: Stack): string {
  const decided = stack.tasks.size === 1 ? (stack.first?.decided ?? "") : "";
  return decided || ofMany(countsOf(stack));
}

// "12 of 24 done", "10 ran, 2 skipped"
const PROGRESS = 17;
// ": not taken" in the place of "if "
const DECISION = 9;

/** The characters that a group's caption takes at most, as far as that can be known before. */
export function longestCaption(stack: Stack): number {
  const alone = stack.first?.branch && !stack.first.turn.length;
  return Math.max(PROGRESS, stack.first?.decided.length ?? 0, alone ? stack.title.length + DECISION : 0);
}

export function ofMany(counts: Counts): string {
  const all = total(counts);
  const failed = counts.get("FAILED") ?? 0;
  if (failed) return `${failed} of ${all} failed`;
  const [ran, skipped] = [counts.get("SUCCEEDED") ?? 0, counts.get("SKIPPED") ?? 0];
  if (ran && skipped && ran + skipped === all) return `${ran} ran, ${skipped} skipped`;
  if (counts.size === 1) return styleOf([...counts.keys()][0] ?? "PENDING").word;
  return `${over(counts)} of ${all} done`;
}

/** A task's state in words, but for its duration. */
export function ofOne(task: RunTask): string {
  const again = task.attempts > 1 && task.state === "RUNNING" ? `attempt ${task.attempts}` : "";
  return joined(styleOf(task.state).word, task.doing || again, task.cached && "cached");
}

/** A node in words, for those who do not see it. */
export function spoken(stack: Stack, title: string): string {
  const needs = [...stack.needs].map(([need, names]) =>
    names.size ? `${[...names].join(", ")} from ${need}` : `after ${need}`,
  );
  const first = stack.first;
  const single = stack.tasks.size === 1 && first !== undefined;
  const state = single ? joined(ofOne(first), first.decided) : tally(stack.counts);
  return [title, state, needs.length && `takes ${needs.join("; ")}`].filter(Boolean).join(". ");
}
