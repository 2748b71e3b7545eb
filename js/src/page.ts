import { connect, type Model, type Receive, type Send } from "./kernel.ts";
import { find } from "./mount/finder.ts";
import { MountedSubject } from "./mount/mounted.ts";
import { sortKeys } from "./mount/shortcuts.ts";
import type { PageMessage } from "./protocol.ts";
import { viewOf } from "./registry.ts";

// subjects that no place in the page shows are forgotten, the oldest first
const MOST_UNSEEN = 12;

/** All that one kernel shows in the page. */
export class Page {
  readonly #send: Send;
  /** Where each subject is shown, by its type and id. */
  readonly #subjects = new Map<string, MountedSubject>();

  constructor(model: Model, signal: AbortSignal) {
    const again = () => {
      for (const subject of this.#subjects.values()) subject.renew();
    };
    const line = connect(model, (message, buffers) => this.#receive(message, buffers), again, signal);
    this.#send = line.send;
    line.signal.addEventListener("abort", () => this.#end());
    sortKeys(signal);
    find(String(model.get("token")), (found) => this.#changed(found), line.signal);
  }

  readonly #receive: Receive = (message, buffers) => {
    this.#take(message, buffers);
    for (const subject of this.#subjects.values()) if (!subject.empty && !subject.store.known) subject.ask();
  };

  #take(message: PageMessage, buffers: DataView[]): void {
    if (message.kind === "whole") {
      const subject = this.#subject(message.type, message.id);
      subject.store.whole(message);
      subject.answered();
      this.#forget();
      return;
    }
    const subject = this.#subjects.get(keyOf(message.type, message.id));
    if (!subject) return;
    if (message.kind !== "change") subject.store.receive(message, buffers);
    else if (!subject.store.change(message) && !subject.empty) subject.ask();
  }

  /** The kernel has ended or was started anew: what was known stays to be seen. */
  #end(): void {
    for (const { store } of this.#subjects.values()) store.lose();
  }

  #changed(found: HTMLElement[]): void {
    for (const element of found) {
      const { kfnbType: type, kfnbId: id } = element.dataset;
      if (type !== undefined && id !== undefined) this.#subject(type, id).add(element);
    }
    for (const subject of this.#subjects.values()) subject.settle();
  }

  #subject(type: string, id: string): MountedSubject {
    const key = keyOf(type, id);
    const view = viewOf(type);
    const found = this.#subjects.get(key) ?? new MountedSubject(view.store(type, id, this.#send), view);
    this.#subjects.set(key, found);
    return found;
  }

  #forget(): void {
    const unseen = [...this.#subjects].filter(([, subject]) => subject.empty);
    for (const [key, { store }] of unseen.slice(0, -MOST_UNSEEN)) {
      store.dispose();
      this.#subjects.delete(key);
    }
  }
}

function keyOf(type: string, id: string): string {
  return `${type} ${id}`;
}
