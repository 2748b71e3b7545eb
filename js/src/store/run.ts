import { batch, signal } from "@preact/signals";
import { learn, now } from "../clock.ts";
import { Frame } from "../frame.ts";
import type { Tell } from "../kernel.ts";
import { toLines } from "../log/lines.ts";
import { Log } from "../log/log.ts";
import type { FromKernel, Task } from "../protocol.ts";
import { Fold, type Head, type Touched } from "./fold.ts";
import type { Stack } from "./stack.ts";
import { View } from "./view.ts";

type Told<Kind extends FromKernel["kind"]> = Extract<FromKernel, { kind: Kind }>;
export type Labels = Pick<Told<"labels">, "tasks" | "groups">;
export type Order = "stop" | "retry";
/** What the kernel said of an order; with `order`, what a person asked for and waits for. */
export type Said = Pick<Told<"said">, "text" | "ok"> & { order?: Order };

const MOST_DETAILS = 40;

/** All that the page knows of one run, in signals that change once a frame. */
export class RunStore {
  readonly view = new View();
  readonly fold = signal<Fold | null>(null);
  readonly head = signal<Head | null>(null);
  /** Counts up when the graph gets other nodes or edges. */
  readonly shape = signal(0);
  /** Counts up when any task has changed. */
  readonly changed = signal(0);
  readonly labels = signal<Labels>({ tasks: {}, groups: {} });
  readonly said = signal<Said | null>(null);
  /** Why nothing more will come; empty as long as something may. */
  readonly gone = signal("");
  /** The moment of the last that is known, if nothing more will come: time does not go on after it. */
  readonly until = signal<number | null>(null);
  /** Counts up when the kernel is to be asked for details again. */
  readonly renewed = signal(0);
  readonly details = signal<ReadonlyMap<string, string>>(new Map());
  readonly #logs = new Map<string, { log: Log; users: number }>();
  readonly #loud = new Set<Log>();
  readonly #stacks = new Set<Stack>();
  #head = false;
  #shape = false;
  readonly #frame = new Frame(() => batch(() => this.#draw()));

  constructor(
    readonly id: string,
    readonly tell: Tell,
  ) {}

  get known(): boolean {
    return this.fold.peek() !== null;
  }

  whole(message: Told<"run">): void {
    if (message.now) learn(message.now);
    batch(() => {
      this.fold.value = new Fold(message.run, message.seq);
      this.head.value = this.fold.value.head;
      this.gone.value = "";
      this.until.value = null;
      this.shape.value++;
      this.changed.value++;
    });
  }

  /** Take a change in; false after a gap, when the run must be asked for anew. */
  change(message: Told<"change">): boolean {
    if (message.now) learn(message.now);
    const touched = this.fold.peek()?.change(message);
    if (!touched) return false;
    this.#note(touched);
    return true;
  }

  detail({ task, html }: Told<"detail">): void {
    const details = new Map(this.details.peek());
    details.delete(task);
    details.set(task, html);
    for (const oldest of details.keys()) if (details.size > MOST_DETAILS) details.delete(oldest);
    this.details.value = details;
  }

  log(message: Told<"log">, buffers: DataView[]): void {
    const log = this.#logs.get(message.task)?.log;
    if (!log) return;
    log.add(message.first, buffers.flatMap(toLines), message.total, message.ended);
    this.#loud.add(log);
    this.#frame.ask();
  }

  /** A task's log, which the kernel is asked for as long as somebody uses it. */
  openLog(task: string): Log {
    const known = this.#logs.get(task);
    if (known) {
      known.users++;
      return known.log;
    }
    const log = new Log();
    this.#logs.set(task, { log, users: 1 });
    this.tell({ do: "log", id: this.id, task, on: true });
    return log;
  }

  closeLog(task: string): void {
    const known = this.#logs.get(task);
    if (!known || --known.users) return;
    this.#logs.delete(task);
    this.tell({ do: "log", id: this.id, task, on: false });
  }

  /** What tells a loop's turns apart: `C = 0.1`; its numbers where that is not known. */
  label(task: Task): string {
    return this.labels.value.tasks[task.id] ?? task.turn.map((number) => `[${number}]`).join("");
  }

  title(stack: Stack): string {
    return (stack.group && this.labels.value.groups[stack.key]) || stack.title;
  }

  /** Ask for all that is shown once more. */
  renew(): void {
    this.tell({ do: "watch", id: this.id });
    for (const task of this.#logs.keys()) this.tell({ do: "log", id: this.id, task, on: true });
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

  /** The kernel has gone; another one can show the run again. */
  lose(): void {
    this.end(
      `The kernel that showed this run has gone: this is how it was then. %kf_run ${this.id} shows it again.`,
    );
  }

  dispose(): void {
    this.#frame.cancel();
  }

  #note(touched: Touched): void {
    this.#head ||= touched.head;
    this.#shape ||= touched.shape;
    for (const stack of touched.stacks) this.#stacks.add(stack);
    this.#frame.ask();
  }

  #draw(): void {
    if (this.#head) this.head.value = this.fold.peek()?.head ?? null;
    if (this.#shape) this.shape.value++;
    if (this.#stacks.size) this.changed.value++;
    for (const stack of this.#stacks) stack.changed.value++;
    for (const log of this.#loud) log.changed.value++;
    this.#stacks.clear();
    this.#loud.clear();
    this.#head = this.#shape = false;
  }
}
