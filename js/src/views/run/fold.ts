import type { RunHead, RunTask } from "../../protocol.ts";
import { Stack } from "./stack.ts";

export type News = Partial<RunTask> & { id: string };

/** What a change has touched: what of it is to be drawn anew. */
export interface Touched {
  head: boolean;
  /** Whether the graph has other nodes or edges than before. */
  shape: boolean;
  stacks: Set<Stack>;
}

const BLANK: Omit<RunTask, "id" | "name" | "path" | "title"> = {
  turn: [],
  group: false,
  branch: false,
  decided: "",
  state: "PENDING",
  needs: {},
  began: [],
  finished: null,
  cached: false,
  attempts: 0,
  known: 0,
  doing: "",
  error: "",
  place: "",
  processes: 0,
  ranks: "",
};

/** A run and its tasks, from the messages so far. */
export class Fold {
  head: RunHead;
  readonly tasks = new Map<string, RunTask>();
  readonly stacks = new Map<string, Stack>();
  readonly roots: Stack[] = [];

  constructor(head: RunHead, tasks: readonly RunTask[]) {
    this.head = head;
    const touched = untouched();
    for (const task of tasks) this.#put(task, touched);
  }

  /** Take a change in. */
  change(head: Partial<RunHead>, tasks: readonly News[]): Touched {
    const touched = untouched();
    if (Object.keys(head).length) {
      this.head = { ...this.head, ...head };
      touched.head = true;
    }
    for (const news of tasks) this.#put(news, touched);
    return touched;
  }

  #put(news: News, touched: Touched): void {
    const known = this.tasks.get(news.id);
    const task = known ? { ...known, ...news } : complete(news);
    this.tasks.set(task.id, task);
    const stack = this.#stack(task.path, touched);
    if (!known?.group !== !task.group || known?.title !== task.title || news.needs) touched.shape = true;
    stack.put(task);
    // the second and the third turn show as sheets under the first
    if (!known && stack.tasks.size <= 3) touched.shape = true;
    for (let above: Stack | null = stack; above; above = above.parent) touched.stacks.add(above);
  }

  #stack(path: readonly string[], touched: Touched): Stack {
    const key = path.join("/");
    const known = this.stacks.get(key);
    if (known) return known;
    const parent = path.length > 1 ? this.#stack(path.slice(0, -1), touched) : null;
    const stack = new Stack(key, path, parent);
    this.stacks.set(key, stack);
    (parent?.children ?? this.roots).push(stack);
    touched.shape = true;
    return stack;
  }
}

function untouched(): Touched {
  return { head: false, shape: false, stacks: new Set() };
}

function complete(news: News): RunTask {
  const name = news.name ?? news.id;
  return { ...BLANK, name, title: name, path: [name], ...news };
}
