import { connect, type Hear, type Model, type Tell } from "./kernel.ts";
import { Exhibit } from "./mount/exhibit.ts";
import { find } from "./mount/finder.ts";
import { sortKeys } from "./mount/shortcuts.ts";
import { ofRun, ofRuns, ofStudy } from "./mount/subjects.tsx";
import type { FromKernel } from "./protocol.ts";
import { RunStore } from "./views/run/store.ts";
import { RunsStore } from "./views/runs/store.ts";
import { StudyStore } from "./views/study/store.ts";

// runs and studies that no place in the page shows are forgotten, the oldest first
const MOST_UNSEEN = 12;

interface Shown<Store> {
  store: Store;
  exhibit: Exhibit;
}

/** What is told of a run or a study that is there, by its id. */
type News = Exclude<FromKernel, { kind: "run" | "runs" | "study" }>;

/** All that one kernel shows in the page. */
export class Page {
  readonly #tell: Tell;
  readonly #runs = new Map<string, Shown<RunStore>>();
  readonly #studies = new Map<string, Shown<StudyStore>>();
  readonly #tables = new Map<string, Shown<RunsStore>>();

  constructor(model: Model, signal: AbortSignal) {
    const again = () => {
      for (const { exhibit } of this.#shown()) exhibit.renew();
    };
    const line = connect(model, (message, buffers) => this.#hear(message, buffers), again, signal);
    this.#tell = line.tell;
    line.signal.addEventListener("abort", () => this.#end());
    sortKeys(signal);
    find(String(model.get("token")), (found) => this.#changed(found), line.signal);
  }

  readonly #hear: Hear = (message, buffers) => {
    this.#take(message, buffers);
    for (const { exhibit } of this.#shown()) if (!exhibit.empty && !exhibit.subject.known) exhibit.ask();
  };

  #take(message: FromKernel, buffers: DataView[]): void {
    if (message.kind === "runs") this.#takeRows(message.view, message.rows);
    else if (message.kind === "run") this.#takeRun(message);
    else if (message.kind === "study") this.#takeStudy(message);
    else this.#takeNews(message, buffers);
  }

  #takeNews(message: News, buffers: DataView[]): void {
    const shown = this.#runs.get(message.id) ?? this.#studies.get(message.id);
    if (!shown) return;
    const { store, exhibit } = shown;
    if (message.kind === "change" || message.kind === "trials") {
      if (!tookIn(store, message) && !exhibit.empty) exhibit.ask();
    } else if (message.kind === "detail") store.detail(message);
    else if (message.kind === "piece" && store instanceof RunStore) store.downloads.take(message, buffers);
    else if (message.kind === "log") store.log(message, buffers);
    else if (message.kind === "file") store.file(message, buffers);
    else if (message.kind === "said") store.answer(message);
    else if (message.kind === "gone") store.end(message.text);
    else if (message.kind === "labels" && store instanceof RunStore) store.labels.value = message;
  }

  #takeRun(message: Extract<FromKernel, { kind: "run" }>): void {
    const { store, exhibit } = this.#run(message.run.id);
    store.whole(message);
    exhibit.answered();
    forget(this.#runs);
  }

  #takeStudy(message: Extract<FromKernel, { kind: "study" }>): void {
    const { store, exhibit } = this.#study(message.study.id);
    store.whole(message);
    exhibit.answered();
    forget(this.#studies);
  }

  #takeRows(view: string, rows: Extract<FromKernel, { kind: "runs" }>["rows"]): void {
    const { store, exhibit } = this.#table(view);
    store.take(rows);
    exhibit.answered();
  }

  /** The kernel has ended or was started anew: what was known stays to be seen. */
  #end(): void {
    for (const { store } of this.#runs.values()) store.lose();
    for (const { store } of this.#studies.values()) store.lose();
    for (const { store } of this.#tables.values()) store.lose();
  }

  #changed(found: HTMLElement[]): void {
    for (const element of found) {
      const { kfnbRun: run, kfnbRuns: view, kfnbStudy: study } = element.dataset;
      if (run !== undefined) this.#run(run).exhibit.add(element);
      else if (study !== undefined) this.#study(study).exhibit.add(element);
      else if (view !== undefined) this.#table(view).exhibit.add(element);
    }
    for (const { exhibit } of this.#shown()) exhibit.settle();
  }

  #run(id: string): Shown<RunStore> {
    return known(this.#runs, id, () => {
      const store = new RunStore(id, this.#tell);
      return { store, exhibit: new Exhibit(ofRun(store)) };
    });
  }

  #study(id: string): Shown<StudyStore> {
    return known(this.#studies, id, () => {
      const store = new StudyStore(id, this.#tell);
      return { store, exhibit: new Exhibit(ofStudy(store)) };
    });
  }

  #table(view: string): Shown<RunsStore> {
    return known(this.#tables, view, () => {
      const store = new RunsStore(view, this.#tell);
      return { store, exhibit: new Exhibit(ofRuns(store)) };
    });
  }

  *#shown(): Generator<Shown<RunStore | RunsStore | StudyStore>> {
    yield* this.#runs.values();
    yield* this.#studies.values();
    yield* this.#tables.values();
  }
}

function known<Store>(all: Map<string, Shown<Store>>, id: string, make: () => Shown<Store>): Shown<Store> {
  const found = all.get(id) ?? make();
  all.set(id, found);
  return found;
}

/** Whether a change could be taken in: after a gap it cannot, and all must be asked for anew. */
function tookIn(
  store: RunStore | StudyStore,
  message: Extract<FromKernel, { kind: "change" | "trials" }>,
): boolean {
  if (store instanceof RunStore) return message.kind !== "change" || store.change(message);
  return message.kind !== "trials" || store.change(message);
}

function forget(all: Map<string, Shown<RunStore | StudyStore>>): void {
  const unseen = [...all].filter(([, { exhibit }]) => exhibit.empty);
  for (const [id, { store }] of unseen.slice(0, -MOST_UNSEEN)) {
    store.dispose();
    all.delete(id);
  }
}
