import { Leveller } from "./levels.ts";
import type { Log } from "./log.ts";
import { rankOf } from "./rank.ts";

/**
 * Which lines are shown: of a level at least, from a moment on (0 for all), with a pattern in them, and of one rank of
 * a training.
 */
export interface Selection {
  level: number;
  since: number;
  only: RegExp | null;
  rank: number | null;
}

/** The numbers of the lines of a log that are shown: kfnb/text/logs.py chooses the same. */
export class Filter {
  lines: number[] = [];
  readonly #selection: Selection;
  #leveller = new Leveller();
  #next: number;
  #edition: number;

  constructor(selection: Selection, log: Log) {
    this.#selection = selection;
    this.#next = log.first;
    this.#edition = log.edition;
    this.update(log);
  }

  /** Look through the lines that are new, and forget those that are gone. */
  update(log: Log): void {
    if (this.#edition !== log.edition) {
      this.#edition = log.edition;
      this.#leveller = new Leveller();
      this.lines = [];
      this.#next = log.first;
    }
    if ((this.lines[0] ?? log.first) < log.first) this.lines = this.lines.filter((line) => line >= log.first);
    const from = this.#selection.since && log.times.length ? log.since(this.#selection.since) : 0;
    for (this.#next = Math.max(this.#next, log.first); this.#next < log.end; this.#next++)
      if (this.#fits(log.line(this.#next)) && this.#next >= from) this.lines.push(this.#next);
  }

  #fits(written: string): boolean {
    const { level, only, rank } = this.#selection;
    const [writer, from] = rank === null ? [null, 0] : rankOf(written);
    if (writer !== rank) return false;
    const line = written.slice(from);
    if (level && this.#leveller.level(line) < level) return false;
    return !only || line.search(only) >= 0;
  }
}
