import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { useRows } from "../rows.ts";
import type { Filter } from "./filter.ts";
import type { Find } from "./find.tsx";
import { Line } from "./line.tsx";
import type { Log } from "./log.ts";
import { rankOf } from "./rank.ts";
import type { Reading } from "./reading.ts";

export const LINE = 18;
const AT_END = 4;

interface Props {
  log: Log;
  /** Which lines are shown; null for all of them. */
  filter: Filter | null;
  /** The rank that has written them, whose number is not repeated in each; null for any. */
  rank: number | null;
  title: string;
  find: Find;
  reading: Reading;
}

/** Lines of a log, of which only those that are seen are in the page. */
export function Column({ log, filter, rank, title, find, reading }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const version = log.changed.value;
  const count = filter ? filter.lines.length : log.lines.length;
  const rows = useRows(box, count, LINE);
  useLayoutEffect(() => {
    const row = filter ? filter.lines.indexOf(find.line) : find.line - log.first;
    if (find.line >= 0 && row >= 0) rows.reveal(row, true);
  }, [find.moved]);
  useFollow(box, reading, version);
  const digits = String(log.end).length;
  const shown = useMemo(
    () => filter?.lines.slice(rows.from, rows.to) ?? range(log.first + rows.from, log.first + rows.to),
    // a version stands for the lines
    [version, log, filter, count, rows.from, rows.to],
  );
  return (
    <div ref={box} class="lines" tabIndex={0} role="log" aria-live="off" aria-label={`Log of ${title}`}>
      <div class="sheet" style={`height:${count * LINE}px;min-width:${log.widest + digits + 4}ch`}>
        {shown.map((number, index) => {
          const text = log.line(number);
          return (
            <Line
              key={number}
              number={number}
              digits={digits}
              top={(rows.from + index) * LINE}
              text={text}
              from={rank === null ? 0 : rankOf(text)[1]}
              spans={log.colours.get(number)}
              pattern={find.pattern}
              current={number === find.line}
            />
          );
        })}
      </div>
    </div>
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
}

/** Stay at the end as long as that is wished; scrolling up ends it, scrolling to the end begins it again. */
function useFollow(box: { current: HTMLDivElement | null }, { follow }: Reading, version: number): void {
  useLayoutEffect(() => {
    const element = box.current;
    if (element && follow.value) element.scrollTop = element.scrollHeight;
    // a version stands for the lines
  }, [version, follow.value]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    let last = element.scrollTop;
    const scroll = () => {
      const up = element.scrollTop < last;
      last = element.scrollTop;
      const atEnd = element.scrollHeight - element.clientHeight - last < AT_END;
      if (up && !atEnd) follow.value = false;
      else if (atEnd && !up) follow.value = true;
    };
    element.addEventListener("scroll", scroll, { passive: true });
    return () => element.removeEventListener("scroll", scroll);
  }, [box, follow]);
}
