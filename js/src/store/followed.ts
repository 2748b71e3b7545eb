import { signal } from "@preact/signals";
import { Log } from "../kit/log/log.ts";
import { Reading } from "../kit/log/reading.ts";
import { save } from "../kit/save.ts";
import type { DetailMessage, FileMessage, LogMessage, PageRequest, ReplyMessage } from "../protocol.ts";
import { type News, Store } from "./store.ts";

const ASKED = {
  stop: "Stopping…",
  retry: "Retrying…",
  promote: "Promoting…",
  rollback: "Rolling back…",
} as const;

export type Action = keyof typeof ASKED;
/** How the kernel answered an action; with `action`, what the user requested and waits for. */
export type ActionMessage = Pick<ReplyMessage, "text" | "ok"> & { action?: Action };

const MOST_DETAILS = 40;

/** A subject with parts that have details and logs: a run with its tasks, a study with its trials. */
export abstract class Followed extends Store {
  /** How its logs are read. */
  readonly reading = new Reading();
  readonly message = signal<ActionMessage | null>(null);
  /** Counts up when the kernel is to be asked for details again. */
  readonly renewed = signal(0);
  readonly details = signal<ReadonlyMap<string, string>>(new Map());
  /** The errors of those parts in full. */
  readonly errors = new Map<string, string>();
  readonly #logs = new Map<string, { log: Log; users: number }>();
  readonly #files = new Map<string, ArrayBuffer[]>();
  readonly #loud = new Set<Log>();

  override receive(message: News, buffers: DataView[]): void {
    if (message.kind === "detail") this.#detail(message);
    else if (message.kind === "log") this.#log(message, buffers);
    else if (message.kind === "file") this.#file(message, buffers);
    else if (message.kind === "reply") this.#answer(message);
    else super.receive(message, buffers);
  }

  /** Request an action of the kernel, of the subject as it was when it was `seen`. */
  act(what: Action, seen: Record<string, number> = {}): void {
    this.message.value = { text: ASKED[what], ok: true, action: what };
    this.send({ do: what, type: this.type, id: this.id, ...seen } as PageRequest);
  }

  requestDetail(part: string): void {
    this.send({ do: "detail", type: this.type, id: this.id, part });
  }

  #detail({ part, html, error }: DetailMessage): void {
    this.errors.set(part, error);
    const details = new Map(this.details.peek());
    details.delete(part);
    details.set(part, html);
    for (const oldest of details.keys())
      if (details.size > MOST_DETAILS) {
        details.delete(oldest);
        this.errors.delete(oldest);
      }
    this.details.value = details;
  }

  #log(message: LogMessage, buffers: DataView[]): void {
    const log = this.#logs.get(message.part)?.log;
    if (!log) return;
    const { first, total, ended, times } = message;
    log.take(first, buffers, total, ended, times);
    this.#loud.add(log);
    this.frame.request();
  }

  /** A part's log, which the kernel is asked for as long as a view uses it. */
  openLog(part: string): Log {
    const known = this.#logs.get(part);
    if (known) {
      known.users++;
      return known.log;
    }
    const log = new Log();
    this.#logs.set(part, { log, users: 1 });
    this.#requestLog(part, true);
    return log;
  }

  /** Save a part's whole log as a file: the kernel sends it, or else what is here is saved. */
  saveLog(part: string, name: string): void {
    const log = this.#logs.get(part)?.log;
    if (this.gone.peek() && log) save(name, [log.text]);
    else this.send({ do: "save", type: this.type, id: this.id, part });
  }

  /** A piece of a file that was asked for. */
  #file({ part, name, last }: FileMessage, buffers: DataView[]): void {
    const pieces = this.#files.get(part) ?? [];
    pieces.push(...buffers.map(copied));
    this.#files.set(part, pieces);
    if (!last) return;
    this.#files.delete(part);
    save(name, pieces);
  }

  closeLog(part: string): void {
    const known = this.#logs.get(part);
    if (!known || --known.users) return;
    this.#logs.delete(part);
    this.#requestLog(part, false);
  }

  override renew(): void {
    super.renew();
    for (const part of this.#logs.keys()) this.#requestLog(part, true);
    this.renewed.value++;
  }

  override end(why: string): void {
    if (!this.gone.peek()) this.message.value = null;
    super.end(why);
  }

  /** How an action went; success is not shown once the view shows it, and it is no longer waited for. */
  #answer({ text, ok }: ReplyMessage): void {
    if (!ok || this.message.peek()) this.message.value = { text, ok };
  }

  #requestLog(part: string, on: boolean): void {
    this.send({ do: "log", type: this.type, id: this.id, part, on });
  }

  protected override draw(): void {
    for (const log of this.#loud) log.changed.value++;
    this.#loud.clear();
  }
}

/** A buffer's bytes alone, which may be a part of a larger one. */
function copied(view: DataView): ArrayBuffer {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
}
