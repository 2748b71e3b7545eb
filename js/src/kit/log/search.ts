import type { Log } from "./log.ts";

export const MOST_MATCHES = 50_000;

/** What is looked for: a word, whatever its case, or a regular expression, as `--grep` has it; null if that is none. */
export function toPattern(text: string, regular: boolean): RegExp | null {
  if (!text) return null;
  if (!regular) return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gi");
  try {
    return new RegExp(text, text === text.toLowerCase() ? "gi" : "g");
  } catch {
    return null;
  }
}

/** Where a pattern is in a log: the lines' numbers, one for each time that it is there. */
export class Search {
  matches: number[] = [];
  readonly #pattern: RegExp;
  #next: number;
  #edition: number;

  constructor(pattern: RegExp, log: Log) {
    this.#pattern = pattern;
    this.#next = log.first;
    this.#edition = log.edition;
    this.update(log);
  }

  /** Look through the lines that are new, and forget those that are gone. */
  update(log: Log): void {
    if (this.#edition !== log.edition) {
      this.#edition = log.edition;
      this.matches = [];
      this.#next = log.first;
    }
    const gone = this.matches.findIndex((line) => line >= log.first);
    if (gone !== 0) this.matches = gone < 0 ? [] : this.matches.slice(gone);
    for (this.#next = Math.max(this.#next, log.first); this.#next < log.end; this.#next++)
      for (const _ of places(log.line(this.#next), this.#pattern)) {
        if (this.matches.length >= MOST_MATCHES) return;
        this.matches.push(this.#next);
      }
  }
}

/** Where a pattern is found in `line`: from where to where. */
export function places(line: string, pattern: RegExp | null): [from: number, to: number][] {
  if (!pattern) return [];
  const found: [number, number][] = [];
  for (const match of line.matchAll(pattern))
    if (match[0]) found.push([match.index, match.index + match[0].length]);
  return found;
}
