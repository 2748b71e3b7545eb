import { batch, signal } from "@preact/signals";
import { learn } from "../../kit/clock.ts";
import type { Task } from "../../protocol.ts";
import { Followed, type Told } from "../../store/followed.ts";
import { Downloads } from "./download.ts";
import { Fold, type Head, type Touched } from "./fold.ts";
import type { Stack } from "./stack.ts";
import { View } from "./view.ts";

export type Labels = Pick<Told<"labels">, "tasks" | "groups">;

/** All that the page knows of one run, in signals that change once a frame. */
export class RunStore extends Followed {
  readonly view = new View();
  readonly fold = signal<Fold | null>(null);
  readonly head = signal<Head | null>(null);
  /** Counts up when the graph gets other nodes or edges. */
  readonly shape = signal(0);
  /** Counts up when any task has changed. */
  readonly changed = signal(0);
  readonly labels = signal<Labels>({ tasks: {}, groups: {} });
  readonly downloads = new Downloads(this);
  readonly #stacks = new Set<Stack>();
  #head = false;
  #shape = false;

  get known(): boolean {
    return this.fold.peek() !== null;
  }

  protected get lost(): string {
    return `The kernel that showed this run has gone: this is how it was then. %kf_run ${this.id} shows it again.`;
  }

  whole(message: Told<"run">): void {
    if (message.now) learn(message.now);
    batch(() => {
      this.fold.value = new Fold(message.run, message.seq);
      this.head.value = this.fold.value.head;
      this.again();
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

  /** What tells a loop's turns apart: `C = 0.1`; its numbers where that is not known. */
  label(task: Task): string {
    return this.labels.value.tasks[task.id] ?? task.turn.map((number) => `[${number}]`).join("");
  }

  override end(why: string): void {
    super.end(why);
    this.downloads.stop();
  }

  title(stack: Stack): string {
    return (stack.group && this.labels.value.groups[stack.key]) || stack.title;
  }

  #note(touched: Touched): void {
    this.#head ||= touched.head;
    this.#shape ||= touched.shape;
    for (const stack of touched.stacks) this.#stacks.add(stack);
    this.frame.ask();
  }

  protected override draw(): void {
    super.draw();
    if (this.#head) this.head.value = this.fold.peek()?.head ?? null;
    if (this.#shape) this.shape.value++;
    if (this.#stacks.size) this.changed.value++;
    for (const stack of this.#stacks) stack.changed.value++;
    this.#stacks.clear();
    this.#head = this.#shape = false;
  }
}
