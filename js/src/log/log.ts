import { signal } from "@preact/signals";

export const MOST_LINES = 200_000;
// lines are dropped many at once: each time moves all the others
const SLACK = 20_000;

/** The last lines of a task's log. Lines are numbered from 0, as the task wrote them. */
export class Log {
  /** The number of the first line that is kept. */
  first = 0;
  lines: string[] = [];
  /** How many lines the task has written, as far as is known. */
  total = 0;
  ended = false;
  /** Whether the kernel has said anything of it yet. */
  known = false;
  /** The longest line's characters, which only grow: the width of the list. */
  widest = 0;
  readonly changed = signal(0);

  get end(): number {
    return this.first + this.lines.length;
  }

  /** Take lines in, of which the first has the number `first`; what was known from there on is replaced. */
  add(first: number, lines: readonly string[], total: number, ended: boolean): void {
    if (first > this.end || first < this.first) this.#start(first);
    this.lines.length = first - this.first;
    for (const line of lines) {
      this.lines.push(line);
      if (line.length > this.widest) this.widest = line.length;
    }
    if (this.lines.length > MOST_LINES + SLACK) this.#drop(this.lines.length - MOST_LINES);
    this.total = Math.max(total, this.end);
    this.ended = ended;
    this.known = true;
  }

  line(number: number): string {
    return this.lines[number - this.first] ?? "";
  }

  /** All that is kept, as one text. */
  get text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  #start(first: number): void {
    this.lines = [];
    this.first = first;
  }

  #drop(count: number): void {
    this.lines.splice(0, count);
    this.first += count;
  }
}
