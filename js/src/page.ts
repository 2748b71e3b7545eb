import { connect, type Hear, type Model, type Tell } from "./kernel.ts";
import { Exhibit } from "./mount/exhibit.ts";
import { find } from "./mount/finder.ts";
import { sortKeys } from "./mount/shortcuts.ts";
import { ofRun, ofRuns } from "./mount/subjects.tsx";
import type { FromKernel } from "./protocol.ts";
import { RunStore } from "./store/run.ts";
import { RunsStore } from "./store/runs.ts";

// runs that no place in the page shows are forgotten, the oldest first
const MOST_UNSEEN = 12;

interface Shown<Store> {
  store: Store;
  exhibit: Exhibit;
}

/** All that one kernel shows in the page. */
export class Page {
  readonly #tell: Tell;
  readonly #runs = new Map<string, Shown<RunStore>>();
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
    else this.#takeNews(message, buffers);
  }

  #takeNews(message: Exclude<FromKernel, { kind: "run" | "runs" }>, buffers: DataView[]): void {
    const shown = this.#runs.get(message.id);
    if (!shown) return;
    const { store, exhibit } = shown;
    if (message.kind === "change") {
      if (!store.change(message) && !exhibit.empty) exhibit.ask();
    } else if (message.kind === "detail") store.detail(message);
    else if (message.kind === "labels") store.labels.value = message;
    else if (message.kind === "log") store.log(message, buffers);
    else if (message.kind === "said") store.answer(message);
    else if (message.kind === "gone") store.end(message.text);
  }

  #takeRun(message: Extract<FromKernel, { kind: "run" }>): void {
    const { store, exhibit } = this.#run(message.run.id);
    store.whole(message);
    exhibit.answered();
    this.#forget();
  }

  #takeRows(view: string, rows: Extract<FromKernel, { kind: "runs" }>["rows"]): void {
    const { store, exhibit } = this.#table(view);
    store.take(rows);
    exhibit.answered();
  }

  /** The kernel has ended or was started anew: what was known stays to be seen. */
  #end(): void {
    for (const { store } of this.#runs.values()) store.lose();
    for (const { store } of this.#tables.values()) store.lose();
  }

  #changed(found: HTMLElement[]): void {
    for (const element of found) {
      const { kfnbRun: run, kfnbRuns: view } = element.dataset;
      if (run !== undefined) this.#run(run).exhibit.add(element);
      else if (view !== undefined) this.#table(view).exhibit.add(element);
    }
    for (const { exhibit } of this.#shown()) exhibit.settle();
  }

  #run(id: string): Shown<RunStore> {
    const known = this.#runs.get(id);
    if (known) return known;
    const store = new RunStore(id, this.#tell);
    const shown = { store, exhibit: new Exhibit(ofRun(store)) };
    this.#runs.set(id, shown);
    return shown;
  }

  #table(view: string): Shown<RunsStore> {
    const known = this.#tables.get(view);
    if (known) return known;
    const store = new RunsStore(view, this.#tell);
    const shown = { store, exhibit: new Exhibit(ofRuns(store)) };
    this.#tables.set(view, shown);
    return shown;
  }

  *#shown(): Generator<Shown<RunStore | RunsStore>> {
    yield* this.#runs.values();
    yield* this.#tables.values();
  }

  #forget(): void {
    const unseen = [...this.#runs].filter(([, { exhibit }]) => exhibit.empty);
    for (const [id, { store }] of unseen.slice(0, -MOST_UNSEEN)) {
      store.dispose();
      this.#runs.delete(id);
    }
  }
}
