import { signal } from "@preact/signals";
import type { Order } from "../../kit/table/columns.ts";

export type Tab = "graph" | "timeline" | "tasks" | "report";
export type Section = "ranks" | "details" | "log";

/** The place of the graph's upper left corner, and its scale. */
export interface Camera {
  x: number;
  y: number;
  scale: number;
}

/** What a person did in a run's picture: it belongs to the run, wherever the picture is. */
export class View {
  readonly tab = signal<Tab>("graph");
  /** Null until the user chooses: then it is the first that a task has. */
  readonly section = signal<Section | null>(null);
  /** The stack whose panel is open, by key, and which of its tasks, by id. */
  readonly open = signal("");
  readonly task = signal("");
  readonly folded = signal<ReadonlySet<string>>(new Set());
  /** Null until the user moves it: then it is fitted. */
  readonly camera = signal<Camera | null>(null);
  /** How the table of tasks is sorted; null for the order in which they appeared. */
  readonly order = signal<Order | null>(null);

  show(stack: string, task = ""): void {
    this.open.value = stack;
    this.task.value = task;
  }

  fold(key: string): void {
    const folded = new Set(this.folded.peek());
    if (!folded.delete(key)) folded.add(key);
    this.folded.value = folded;
  }
}
