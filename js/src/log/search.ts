import type { Log } from "./log.ts";

export const MOST_MATCHES = 50_000;

/** Where a word is in a log: the lines' numbers, one for each time that the word is there. */
export class Search {
  matches: number[] = [];
  readonly #word: string;
  #next: number;

  constructor(word: string, log: Log) {
    this.#word = word.toLowerCase();
    this.#next = log.first;
    this.update(log);
  }

  /** Look through the lines that are new, and forget those that are gone. */
  update(log: Log): void {
    const gone = this.matches.findIndex((line) => line >= log.first);
    if (gone !== 0) this.matches = gone < 0 ? [] : this.matches.slice(gone);
    for (this.#next = Math.max(this.#next, log.first); this.#next < log.end; this.#next++)
      for (const _ of places(log.line(this.#next), this.#word)) {
        if (this.matches.length >= MOST_MATCHES) return;
        this.matches.push(this.#next);
      }
  }
}

/** Where `word`, in lower case, begins in `line`. */
export function places(line: string, word: string): number[] {
  if (!word) return [];
  const lower = line.toLowerCase();
  const found: number[] = [];
  for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + word.length)) found.push(at);
  return found;
}
