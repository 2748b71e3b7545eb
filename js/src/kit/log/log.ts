import { signal } from "@preact/signals";
import { Painter, type Span } from "./ansi.ts";
import { read } from "./lines.ts";

export const MOST_LINES = 200_000;
// lines are dropped many at once: each time moves all the others
const SLACK = 20_000;

/** From which line on things were written at about which moment, in seconds since the epoch. */
export type Time = [line: number, at: number];

/** The last lines of a task's log. Lines are numbered from 0, as the task wrote them. */
export class Log {
  /** The number of the first line that is kept. */
  first = 0;
  lines: string[] = [];
  /** The parts of lines with colours, by number. */
  readonly colours = new Map<number, Span[]>();
  times: Time[] = [];
  /** How many lines the task has written, as far as is known. */
  total = 0;
  ended = false;
  /** Whether the kernel has answered yet. */
  known = false;
  /** The longest line's characters, which only grow: the width of the list. */
  widest = 0;
  /** Counts up when lines that were there are others now. */
  edition = 0;
  readonly changed = signal(0);
  #painter = new Painter();

  get end(): number {
    return this.first + this.lines.length;
  }

  /** Take lines in, of which the first has the number `first`; what was known from there on is replaced. */
  add(first: number, lines: readonly string[], total: number, ended: boolean): void {
    if (first > this.end || first < this.first) this.#start(first);
    if (first < this.end) this.#forget(first);
    for (const line of lines) {
      this.lines.push(line);
      if (line.length > this.widest) this.widest = line.length;
    }
    if (this.lines.length > MOST_LINES + SLACK) this.#drop(this.lines.length - MOST_LINES);
    this.total = Math.max(total, this.end);
    this.ended = ended;
    this.known = true;
  }

  /** Take in what the kernel sent: bytes, and where among their lines which moments are. */
  take(first: number, buffers: readonly DataView[], total: number, ended: boolean, times?: Time[]): void {
    if (first !== this.end) this.#painter = new Painter();
    for (const [at, buffer] of buffers.entries()) {
      const start = at ? this.end : first;
      const { lines, colours } = read(buffer, this.#painter);
      this.add(start, lines, total, ended);
      for (const [line, spans] of colours) this.colours.set(start + line, spans);
    }
    if (!buffers.length) this.add(first, [], total, ended);
    for (const [line, at] of times ?? []) this.times.push([first + line, at]);
  }

  line(number: number): string {
    return this.lines[number - this.first] ?? "";
  }

  /** The first line that was written at that moment or later; that after the last where none was. */
  since(moment: number): number {
    const after = this.times.findIndex(([, at]) => at >= moment);
    return this.times[after]?.[0] ?? this.end;
  }

  /** All that is kept, as one text. */
  get text(): string {
    return this.lines.map((line) => `${line}\n`).join("");
  }

  #start(first: number): void {
    this.lines = [];
    this.first = first;
    this.#forget(first);
  }

  #forget(from: number): void {
    this.lines.length = from - this.first;
    this.edition++;
    for (const number of this.colours.keys()) if (number >= from) this.colours.delete(number);
    this.times = this.times.filter(([line]) => line < from);
  }

  #drop(count: number): void {
    this.lines.splice(0, count);
    this.first += count;
    for (const number of this.colours.keys()) if (number < this.first) this.colours.delete(number);
  }
}
