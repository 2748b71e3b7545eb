import { batch, signal } from "@preact/signals";
import type { Send } from "../kernel.ts";
import { learn, now } from "../kit/clock.ts";
import { Frame } from "../kit/frame.ts";
import type { ChangeMessage, Head, PageMessage, Part, WholeMessage } from "../protocol.ts";

/** What is sent of a known subject, beside its contents. */
export type News = Exclude<PageMessage, WholeMessage | ChangeMessage>;

/** All that the page knows of one subject: a view's own store folds its head and its parts. */
export abstract class Store {
  /** Why nothing more will come; empty as long as something may. */
  readonly gone = signal("");
  /** The moment of the last that is known, if nothing more will come: time does not pass after it. */
  readonly until = signal<number | null>(null);
  protected readonly frame = new Frame(() => batch(() => this.draw()));
  #seq = 0;

  constructor(
    readonly type: string,
    readonly id: string,
    readonly send: Send,
  ) {}

  /** Whether there is anything to show yet. */
  abstract get known(): boolean;

  /** The text shown when the kernel has gone, and another one can show it again. */
  protected abstract get lost(): string;

  /** Know this, and nothing of what was known before. */
  protected abstract fill(head: Head, parts: readonly Part[]): void;

  /** Know this too. Shown in the next frame, by `draw`. */
  protected abstract add(head: Head, parts: readonly Part[]): void;

  /** Show what has changed since the last frame. */
  protected draw(): void {}

  whole(message: WholeMessage): void {
    learn(message.now);
    this.#seq = message.seq;
    batch(() => {
      this.fill(message.head, message.parts);
      this.gone.value = "";
      this.until.value = null;
    });
  }

  /** Take a change in; false after a gap, when all must be asked for anew. */
  change(message: ChangeMessage): boolean {
    learn(message.now);
    if (!this.known) return false;
    if (message.seq <= this.#seq) return true;
    if (message.seq !== this.#seq + 1) return false;
    this.#seq = message.seq;
    this.add(message.head, message.parts);
    this.frame.request();
    return true;
  }

  /** Take in any other message. */
  receive(message: News, _buffers: DataView[]): void {
    const refused = message.kind === "reply" && !message.ok;
    if (message.kind === "gone" || refused) this.end(message.text);
  }

  /** Ask the kernel for all of it, and for what changes. */
  ask(): void {
    this.send({ do: "watch", type: this.type, id: this.id });
  }

  /** Ask for all that is shown once more: the answers may be lost. */
  renew(): void {
    this.ask();
  }

  /** Tell the kernel that it is seen. */
  seen(): void {
    this.send({ do: "seen", type: this.type, id: this.id });
  }

  /** Tell the kernel that it is not shown any more. */
  leave(): void {
    this.send({ do: "leave", type: this.type, id: this.id });
  }

  /** Nothing more will come, and why. */
  end(why: string): void {
    if (this.gone.peek()) return;
    batch(() => {
      this.gone.value = why;
      this.until.value = now();
    });
  }

  /** The kernel has gone. */
  lose(): void {
    this.end(this.lost);
  }

  dispose(): void {
    this.frame.cancel();
  }
}
