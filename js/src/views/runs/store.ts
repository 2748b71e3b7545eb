import { signal } from "@preact/signals";
import type { Order } from "../../kit/table/columns.ts";
import type { Head, Part, RunRow, StateName } from "../../protocol.ts";
import { Store } from "../../store/store.ts";

/** A table of runs, and what a person did in it. */
export class RunsStore extends Store {
  readonly rows = signal<readonly RunRow[] | null>(null);
  readonly filter = signal("");
  readonly hidden = signal<ReadonlySet<StateName>>(new Set());
  readonly order = signal<Order | null>(null);
  /** Whether the kernel was asked for the rows, and has not answered yet. */
  readonly asking = signal(false);

  get known(): boolean {
    return this.rows.peek() !== null;
  }

  protected get lost(): string {
    return "as of when its kernel ended";
  }

  override ask(): void {
    this.asking.value = true;
    super.ask();
  }

  override end(why: string): void {
    super.end(why);
    this.asking.value = false;
  }

  protected fill(_head: Head, parts: readonly Part[]): void {
    this.asking.value = false;
    this.rows.value = parts as unknown as RunRow[];
  }

  protected add(_head: Head, parts: readonly Part[]): void {
    const rows = new Map(this.rows.peek()?.map((row) => [row.id, row]));
    for (const part of parts as unknown as RunRow[]) rows.set(part.id, { ...rows.get(part.id), ...part });
    this.rows.value = [...rows.values()];
  }
}
