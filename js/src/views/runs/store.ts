import { signal } from "@preact/signals";
import type { Tell } from "../../kernel.ts";
import type { Row, State } from "../../protocol.ts";
import type { Order } from "../run/view.ts";

/** A table of runs, and what a person did in it. */
export class RunsStore {
  readonly rows = signal<readonly Row[] | null>(null);
  readonly filter = signal("");
  readonly hidden = signal<ReadonlySet<State>>(new Set());
  readonly order = signal<Order | null>(null);
  /** Whether the kernel was asked for the rows, and has not answered yet. */
  readonly asking = signal(false);
  /** Whether the kernel has gone, so that nothing more will come. */
  readonly gone = signal(false);

  constructor(
    readonly view: string,
    readonly tell: Tell,
  ) {}

  get known(): boolean {
    return this.rows.peek() !== null;
  }

  refresh(): void {
    this.asking.value = true;
    this.tell({ do: "runs", view: this.view });
  }

  lose(): void {
    this.gone.value = true;
    this.asking.value = false;
  }

  take(rows: readonly Row[]): void {
    this.asking.value = false;
    this.rows.value = rows;
  }
}
