import { signal } from "@preact/signals";
import type { Head, LabelsMessage, Part, RunHead, RunTask } from "../../protocol.ts";
import { Followed } from "../../store/followed.ts";
import type { News } from "../../store/store.ts";
import { Downloads } from "./download.ts";
import { Fold, type News as TaskNews, type Touched } from "./fold.ts";
import type { Stack } from "./stack.ts";
import { View } from "./view.ts";

export type Labels = Pick<LabelsMessage, "tasks" | "groups">;

/** All that the page knows of one run, in signals that change once a frame. */
export class RunStore extends Followed {
  readonly view = new View();
  readonly fold = signal<Fold | null>(null);
  readonly head = signal<RunHead | null>(null);
  /** Counts up when the graph gets other nodes or edges. */
  readonly shape = signal(0);
  /** Counts up when any task has changed. */
  readonly changed = signal(0);
  readonly labels = signal<Labels>({ tasks: {}, groups: {} });
  readonly downloads = new Downloads(this);
  readonly #stacks = new Set<Stack>();
  #opened = false;
  #head = false;
  #shape = false;

  get known(): boolean {
    return this.fold.peek() !== null;
  }

  protected get lost(): string {
    return `The kernel has ended: this is the run's last known state. %kf_run ${this.id} shows it again.`;
  }

  override receive(message: News, buffers: DataView[]): void {
    if (message.kind === "piece") this.downloads.take(message, buffers);
    else if (message.kind === "labels") this.labels.value = message;
    else super.receive(message, buffers);
  }

  protected fill(head: Head, parts: readonly Part[]): void {
    this.fold.value = new Fold(head as unknown as RunHead, parts as unknown as RunTask[]);
    this.head.value = this.fold.value.head;
    this.shape.value++;
    this.changed.value++;
    this.#openTraining();
  }

  protected add(head: Head, parts: readonly Part[]): void {
    const touched = this.fold.peek()?.change(head as Partial<RunHead>, parts as unknown as TaskNews[]);
    if (touched) this.#note(touched);
    this.#openTraining();
  }

  /** Show the ranks of a run that is one training, as soon as there are some, until the user closes them. */
  #openTraining(): void {
    const [task, another] = this.fold.peek()?.tasks.values() ?? [];
    if (this.#opened || !task?.processes || another) return;
    this.#opened = true;
    this.view.show(task.path.join("/"), task.id);
  }

  askLabels(): void {
    this.send({ do: "labels", type: this.type, id: this.id });
  }

  /** What tells a loop's iterations apart: `C = 0.1`; its numbers where that is not known. */
  label(task: RunTask): string {
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
