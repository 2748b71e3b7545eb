import { useEffect, useMemo, useState } from "preact/hooks";
import { grouped } from "../words.ts";
import type { Log } from "./log.ts";
import type { Reading } from "./reading.ts";
import { MOST_MATCHES, Search, toPattern } from "./search.ts";

const PAUSE = 120;

export interface Find {
  /** What is looked for; null for nothing. */
  pattern: RegExp | null;
  text: string;
  /** Whether that is not a regular expression. */
  wrong: boolean;
  count: number;
  at: number;
  /** The number of the line of the match that is stood at; -1 for none. */
  line: number;
  /** Counts up each time that it is gone to. */
  moved: number;
  type(text: string): void;
  step(by: number): void;
}

/** Look for a word in a log, and go from one match to the next; `leave` is called before one is gone to. */
export function useFind(log: Log, reading: Reading, leave: () => void): Find {
  const text = reading.find.value;
  const settled = useSettled(text);
  const regular = reading.regular.value;
  const pattern = useMemo(() => toPattern(settled, regular), [settled, regular]);
  const search = useMemo(() => (pattern ? new Search(pattern, log) : null), [pattern, log]);
  search?.update(log);
  const matches = search?.matches ?? [];
  const [line, setLine] = useState(-1);
  const [at, setAt] = useState(-1);
  const [moved, setMoved] = useState(0);
  // another word begins anew
  useEffect(() => go(search && matches.length ? 0 : -1), [search]);
  const go = (index: number) => {
    const found = matches[index] ?? -1;
    setAt(index);
    setLine(found);
    setMoved((count) => count + 1);
    if (found >= 0) leave();
  };
  return {
    pattern,
    text,
    wrong: regular && settled !== "" && pattern === null,
    count: matches.length,
    at,
    line,
    moved,
    type: (next) => {
      reading.find.value = next;
    },
    step: (by) => matches.length && go((at + by + matches.length) % matches.length),
  };
}

function useSettled(text: string): string {
  const [settled, settle] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => settle(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  return settled;
}

/** The box to type in, the number of matches, and the ways to the next and the one before. */
export function Finder({ find }: { find: Find }) {
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter") find.step(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape" && find.text) find.type("");
    else return;
    event.preventDefault();
  };
  const many = find.count >= MOST_MATCHES ? `${grouped(find.count)}+` : grouped(find.count);
  return (
    <search class="finder">
      <input
        type="search"
        placeholder="Search"
        aria-label="Search in the log"
        value={find.text}
        onInput={(event) => find.type(event.currentTarget.value)}
        onKeyDown={press}
      />
      <span class="soft found" role="status">
        {find.wrong
          ? "not a regular expression"
          : find.pattern && (find.count ? `${grouped(find.at + 1)} of ${many}` : "nothing found")}
      </span>
      <button
        type="button"
        aria-label="Match before"
        title="Match before (Shift+Enter)"
        disabled={!find.count}
        onClick={() => find.step(-1)}
      >
        ↑
      </button>
      <button
        type="button"
        aria-label="Next match"
        title="Next match (Enter)"
        disabled={!find.count}
        onClick={() => find.step(1)}
      >
        ↓
      </button>
    </search>
  );
}
