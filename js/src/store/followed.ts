import { batch, signal } from "@preact/signals";
import type { Tell } from "../kernel.ts";
import { now } from "../kit/clock.ts";
import { Frame } from "../kit/frame.ts";
import { Log } from "../kit/log/log.ts";
import { save } from "../kit/save.ts";
import type { FromKernel } from "../protocol.ts";
import { Reading } from "../views/run/view.ts";

export type Told<Kind extends FromKernel["kind"]> = Extract<FromKernel, { kind: Kind }>;
export type Order = "stop" | "retry";
/** What the kernel said of an order; with `order`, what a person asked for and waits for. */
export type Said = Pick<Told<"said">, "text" | "ok"> & { order?: Order };

const MOST_DETAILS = 40;

/** What the page knows of something that goes on, and of its parts: a run with its tasks, a study with its trials. */
export abstract class Followed {
  /** How its logs are read. */
  readonly reading = new Reading();
  readonly said = signal<Said | null>(null);
  /** Why nothing more will come; empty as long as something may. */
  readonly gone = signal("");
  /** The moment of the last that is known, if nothing more will come: time does not go on after it. */
  readonly until = signal<number | null>(null);
  /** Counts up when the kernel is to be asked for details again. */
  readonly renewed = signal(0);
  readonly details = signal<ReadonlyMap<string, string>>(new Map());
  /** The errors of those parts in full. */
  readonly errors = new Map<string, string>();
  readonly #logs = new Map<string, { log: Log; users: number }>();
  readonly #files = new Map<string, ArrayBuffer[]>();
  readonly #loud = new Set<Log>();
  protected readonly frame = new Frame(() => batch(() => this.draw()));

  constructor(
    readonly id: string,
    readonly tell: Tell,
  ) {}

  abstract get known(): boolean;

  /** Said when the kernel has gone, and another one can show it again. */
  protected abstract get lost(): string;

  detail({ task, html, error }: Told<"detail">): void {
    this.errors.set(task, error);
    const details = new Map(this.details.peek());
    details.delete(task);
    details.set(task, html);
    for (const oldest of details.keys())
      if (details.size > MOST_DETAILS) {
        details.delete(oldest);
        this.errors.delete(oldest);
      }
    this.details.value = details;
  }

  log(message: Told<"log">, buffers: DataView[]): void {
    const log = this.#logs.get(message.task)?.log;
    if (!log) return;
    const { first, total, ended, times } = message;
    log.take(first, buffers, total, ended, times);
    this.#loud.add(log);
    this.frame.ask();
  }

  /** A part's log, which the kernel is asked for as long as somebody uses it. */
  openLog(part: string): Log {
    const known = this.#logs.get(part);
    if (known) {
      known.users++;
      return known.log;
    }
    const log = new Log();
    this.#logs.set(part, { log, users: 1 });
    this.tell({ do: "log", id: this.id, task: part, on: true });
    return log;
  }

  /** Save a part's whole log as a file: the kernel sends it, or else what is here is saved. */
  saveLog(part: string, name: string): void {
    const log = this.#logs.get(part)?.log;
    if (this.gone.peek() && log) save(name, [log.text]);
    else this.tell({ do: "save", id: this.id, task: part });
  }

  /** A piece of a file that was asked for. */
  file({ task, name, last }: Told<"file">, buffers: DataView[]): void {
    const pieces = this.#files.get(task) ?? [];
    pieces.push(...buffers.map(copied));
    this.#files.set(task, pieces);
    if (!last) return;
    this.#files.delete(task);
    save(name, pieces);
  }

  closeLog(part: string): void {
    const known = this.#logs.get(part);
    if (!known || --known.users) return;
    this.#logs.delete(part);
    this.tell({ do: "log", id: this.id, task: part, on: false });
  }

  /** Ask for all that is shown once more. */
  renew(): void {
    this.tell({ do: "watch", id: this.id });
    for (const part of this.#logs.keys()) this.tell({ do: "log", id: this.id, task: part, on: true });
    this.renewed.value++;
  }

  /** How an order went; that it went well is no news once that is seen, and it is waited for no more. */
  answer(said: Told<"said">): void {
    if (!said.ok || this.said.peek()) this.said.value = said;
  }

  /** Nothing more will come, and why. */
  end(why: string): void {
    if (this.gone.peek()) return;
    batch(() => {
      this.gone.value = why;
      this.until.value = now();
      this.said.value = null;
    });
  }

  /** The kernel has gone. */
  lose(): void {
    this.end(this.lost);
  }

  dispose(): void {
    this.frame.cancel();
  }

  /** It is there again, whole. */
  protected again(): void {
    this.gone.value = "";
    this.until.value = null;
  }

  /** Show what has changed since the last frame. */
  protected draw(): void {
    for (const log of this.#loud) log.changed.value++;
    this.#loud.clear();
  }
}

/** A buffer's bytes alone, which may be a part of a larger one. */
function copied(view: DataView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
}
