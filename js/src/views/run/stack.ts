import { type Signal, signal } from "@preact/signals";
import { type Counts, count } from "../../kit/states.ts";
import type { RunTask, StateName } from "../../protocol.ts";

/** All iterations of one task or group: what is one node of the graph. */
export class Stack {
  readonly tasks = new Map<string, RunTask>();
  readonly children: Stack[] = [];
  /** Counts up when a task of it, or one inside it, has changed. */
  readonly changed: Signal<number> = signal(0);
  #sorted: RunTask[] | null = null;

  constructor(
    readonly key: string,
    readonly path: readonly string[],
    readonly parent: Stack | null,
  ) {}

  get name(): string {
    return this.path[this.path.length - 1] ?? "";
  }

  /** One of its tasks, for what all have in common; undefined for a group that the kernel never named. */
  get first(): RunTask | undefined {
    return this.tasks.values().next().value;
  }

  get group(): boolean {
    return this.first?.group ?? true;
  }

  get title(): string {
    return this.first?.title ?? this.name;
  }

  put(task: RunTask): void {
    this.tasks.set(task.id, task);
    this.#sorted = null;
  }

  /** Its tasks in the order of their iterations. */
  get sorted(): readonly RunTask[] {
    this.#sorted ??= [...this.tasks.values()].sort(byTurn);
    return this.#sorted;
  }

  get counts(): Counts {
    return count(statesOf(this.tasks.values()));
  }

  /** Which siblings it waits for, and the names of what it takes from each. */
  get needs(): Map<string, Set<string>> {
    const needs = new Map<string, Set<string>>();
    for (const task of this.tasks.values())
      for (const [need, names] of Object.entries(task.needs)) {
        const known = needs.get(need) ?? new Set();
        for (const name of names) known.add(name);
        needs.set(need, known);
      }
    return needs;
  }

  /** All tasks inside that are not groups, at any depth. */
  *work(): Generator<RunTask> {
    for (const child of this.children) {
      if (child.group) yield* child.work();
      else yield* child.tasks.values();
    }
  }

  /** How often a loop's body appears in the run; 0 for a group that is not a loop. */
  get iterations(): number {
    const level = this.first?.turn.length ?? 0;
    const seen = new Set<string>();
    for (const child of this.children)
      for (const task of child.tasks.values())
        if (task.turn.length > level) seen.add(task.turn.slice(0, level + 1).join("."));
    return seen.size;
  }
}

export function byTurn(one: RunTask, other: RunTask): number {
  const length = Math.min(one.turn.length, other.turn.length);
  for (let level = 0; level < length; level++) {
    const difference = (one.turn[level] ?? 0) - (other.turn[level] ?? 0);
    if (difference) return difference;
  }
  return one.turn.length - other.turn.length;
}

function* statesOf(tasks: Iterable<RunTask>): Generator<StateName> {
  for (const task of tasks) yield task.state;
}
