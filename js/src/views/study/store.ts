import { computed, signal } from "@preact/signals";
import type { Order } from "../../kit/table/columns.ts";
import type { Head, Part, StateName, StudyHead, StudyTrial } from "../../protocol.ts";
import { Followed } from "../../store/followed.ts";
import { type Axis, axesOf } from "./axes.ts";
import { type Brushes, chosenBy, type Range } from "./brush.ts";
import { Ranking } from "./ranking.ts";

export type StudyTab = "overview" | "slices" | "curves" | "trials";

/** No trial. */
export const NONE = -1;

/** What a person did in a study's picture. */
export class StudyView {
  readonly tab = signal<StudyTab>("overview");
  /** The number of the trial whose panel is open, and of the one that is pointed at. */
  readonly open = signal(NONE);
  readonly hover = signal(NONE);
  readonly section = signal<"details" | "log">("details");
  /** What is chosen on the axes, by their keys. */
  readonly brushes = signal<Brushes>(new Map());
  readonly filter = signal("");
  readonly hidden = signal<ReadonlySet<StateName>>(new Set());
  /** How the table is sorted; null for the best first. */
  readonly order = signal<Order | null>(null);

  /** Choose a range of an axis, or all of it. */
  brush(axis: string, range: Range | null): void {
    const brushes = new Map(this.brushes.peek());
    if (range) brushes.set(axis, range);
    else brushes.delete(axis);
    this.brushes.value = brushes;
  }
}

/** All that the page knows of one study, in signals that change once a frame. */
export class StudyStore extends Followed {
  readonly view = new StudyView();
  readonly head = signal<StudyHead | null>(null);
  /** Counts up when any trial has changed. */
  readonly changed = signal(0);
  readonly trials = new Map<number, StudyTrial>();
  /** The trials, by their values. */
  readonly ranking = computed(() => {
    this.changed.value;
    return new Ranking([...this.trials.values()], this.head.value?.maximize ?? false);
  });
  readonly axes = computed<Axis[]>(() => {
    const head = this.head.value;
    return head ? axesOf(head, this.ranking.value) : [];
  });
  /** The numbers of the trials that are within all ranges; null where there are none. */
  readonly chosen = computed(() =>
    chosenBy(this.view.brushes.value, this.axes.value, this.ranking.value.all),
  );
  #news: Partial<StudyHead> | null = null;
  #touched = false;

  get known(): boolean {
    return this.head.peek() !== null;
  }

  protected get lost(): string {
    const name = this.head.peek()?.name ?? "";
    return `The kernel has ended: this is the study's last known state. %kf_study ${name} shows it again.`;
  }

  protected fill(head: Head, parts: readonly Part[]): void {
    this.#news = null;
    this.trials.clear();
    for (const trial of parts as unknown as StudyTrial[]) this.trials.set(trial.number, trial);
    this.head.value = head as unknown as StudyHead;
    this.changed.value++;
  }

  protected add(head: Head, parts: readonly Part[]): void {
    if (Object.keys(head).length) this.#news = { ...this.#news, ...head };
    for (const news of parts as unknown as (Partial<StudyTrial> & { number: number })[]) {
      const known = this.trials.get(news.number);
      this.trials.set(news.number, known ? { ...known, ...news } : { state: "PENDING", ...news });
      this.#touched = true;
    }
  }

  protected override draw(): void {
    super.draw();
    const head = this.head.peek();
    if (head && this.#news) this.head.value = { ...head, ...this.#news };
    if (this.#touched) this.changed.value++;
    this.#news = null;
    this.#touched = false;
  }
}
