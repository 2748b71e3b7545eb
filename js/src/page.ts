import { connect, type Hear, type Model, type Tell } from "./kernel.ts";
import { Exhibit } from "./mount/exhibit.ts";
import { find } from "./mount/finder.ts";
import { sortKeys } from "./mount/shortcuts.ts";
import type { PageMessage } from "./protocol.ts";
import { viewOf } from "./registry.ts";

// subjects that no place in the page shows are forgotten, the oldest first
const MOST_UNSEEN = 12;

/** All that one kernel shows in the page. */
export class Page {
  readonly #tell: Tell;
  /** Where each subject is shown, by its type and id. */
  readonly #exhibits = new Map<string, Exhibit>();

  constructor(model: Model, signal: AbortSignal) {
    const again = () => {
      for (const exhibit of this.#exhibits.values()) exhibit.renew();
    };
    const line = connect(model, (message, buffers) => this.#hear(message, buffers), again, signal);
    this.#tell = line.tell;
    line.signal.addEventListener("abort", () => this.#end());
    sortKeys(signal);
    find(String(model.get("token")), (found) => this.#changed(found), line.signal);
  }

  readonly #hear: Hear = (message, buffers) => {
    this.#take(message, buffers);
    for (const exhibit of this.#exhibits.values()) if (!exhibit.empty && !exhibit.store.known) exhibit.ask();
  };

  #take(message: PageMessage, buffers: DataView[]): void {
    if (message.kind === "whole") {
      const exhibit = this.#exhibit(message.type, message.id);
      exhibit.store.whole(message);
      exhibit.answered();
      this.#forget();
      return;
    }
    const exhibit = this.#exhibits.get(keyOf(message.type, message.id));
    if (!exhibit) return;
    if (message.kind !== "change") exhibit.store.hear(message, buffers);
    else if (!exhibit.store.change(message) && !exhibit.empty) exhibit.ask();
  }

  /** The kernel has ended or was started anew: what was known stays to be seen. */
  #end(): void {
    for (const { store } of this.#exhibits.values()) store.lose();
  }

  #changed(found: HTMLElement[]): void {
    for (const element of found) {
      const { kfnbType: type, kfnbId: id } = element.dataset;
      if (type !== undefined && id !== undefined) this.#exhibit(type, id).add(element);
    }
    for (const exhibit of this.#exhibits.values()) exhibit.settle();
  }

  #exhibit(type: string, id: string): Exhibit {
    const key = keyOf(type, id);
    const view = viewOf(type);
    const found = this.#exhibits.get(key) ?? new Exhibit(view.store(type, id, this.#tell), view);
    this.#exhibits.set(key, found);
    return found;
  }

  #forget(): void {
    const unseen = [...this.#exhibits].filter(([, exhibit]) => exhibit.empty);
    for (const [key, { store }] of unseen.slice(0, -MOST_UNSEEN)) {
      store.dispose();
      this.#exhibits.delete(key);
    }
  }
}

function keyOf(type: string, id: string): string {
  return `${type} ${id}`;
}
