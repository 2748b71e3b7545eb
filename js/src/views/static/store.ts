import { signal } from "@preact/signals";
import type { Head, Part, StaticPart } from "../../protocol.ts";
import { Store } from "../../store/store.ts";

/** A subject of a type that has no view here: the static HTML that the kernel makes of it. */
export class StaticStore extends Store {
  readonly html = signal<string | null>(null);

  get known(): boolean {
    return this.html.peek() !== null;
  }

  protected get lost(): string {
    return "The kernel has ended: this is its last state.";
  }

  protected fill(_head: Head, parts: readonly Part[]): void {
    for (const { id, html } of parts as unknown as StaticPart[]) if (id === "html") this.html.value = html;
  }

  protected add(head: Head, parts: readonly Part[]): void {
    this.fill(head, parts);
  }
}
