/** What a task did when: it waited, and then one or more attempts. Times are seconds since the epoch. */

import { isOver } from "../../../kit/states.ts";
import type { RunTask } from "../../../protocol.ts";
import type { Fold } from "../fold.ts";
import { byTurn, type Stack } from "../stack.ts";

export interface Bar {
  kind: "wait" | "attempt" | "last";
  from: number;
  to: number;
}

/** All tasks that are not groups, those of one place under each other; the places in the order in which they began. */
export function rowsOf(fold: Fold): RunTask[] {
  const rows: RunTask[] = [];
  const collect = (stacks: readonly Stack[]) => {
    for (const stack of [...stacks].sort((one, other) => begun(one) - begun(other)))
      if (stack.group) collect(stack.children);
      else rows.push(...[...stack.tasks.values()].sort(byTurn));
  };
  collect(fold.roots);
  return rows;
}

/** When the first task in a stack began; what has not begun comes last. */
function begun(stack: Stack): number {
  let first = Number.MAX_VALUE; // not infinite: two of these are equal
  if (!stack.group) for (const task of stack.tasks.values()) first = Math.min(first, task.began[0] ?? first);
  for (const child of stack.children) first = Math.min(first, begun(child));
  return first;
}

/** A task's bars from left to right; `ready` is when nothing was left to wait for, if that is known. */
export function barsOf(task: RunTask, ready: number | null, now: number): Bar[] {
  const starts = task.began;
  const end = task.finished ?? (isOver(task.state) ? (starts.at(-1) ?? now) : now);
  const first = starts[0];
  const bars: Bar[] = [];
  const waited = first ?? (isOver(task.state) ? null : now);
  if (ready !== null && waited !== null && waited > ready)
    bars.push({ kind: "wait", from: ready, to: waited });
  starts.forEach((from, index) => {
    const next = starts[index + 1];
    bars.push({ kind: next === undefined ? "last" : "attempt", from, to: Math.max(from, next ?? end) });
  });
  return bars;
}

/** When all that a task needs was there; null as long as it is not. */
export function readyAt(task: RunTask, fold: Fold): number | null {
  const level = task.id.slice(0, task.id.length - task.name.length);
  let ready = fold.tasks.get(parentOf(level))?.began[0] ?? fold.head.started;
  for (const need of Object.keys(task.needs)) {
    const finished = fold.tasks.get(level + need)?.finished ?? null;
    if (finished === null) return null;
    ready = Math.max(ready ?? finished, finished);
  }
  return ready;
}

/** The group that a level's ids begin with, without the number of a turn. */
function parentOf(level: string): string {
  return level.replace(/(\/\d+)?\/$/, "");
}
