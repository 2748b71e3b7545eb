import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Followed } from "../../store/followed.ts";
import { Copy } from "../copy.tsx";
import { useRows } from "../rows.ts";
import { Waiting } from "../waiting.tsx";
import { grouped, many } from "../words.ts";
import { Filter, type Selection } from "./filter.ts";
import { Filters, showAll } from "./filters.tsx";
import { Finder, useFind } from "./find.tsx";
import { Line } from "./line.tsx";
import { type Log, MOST_LINES } from "./log.ts";
import type { Reading } from "./reading.ts";
import { toPattern } from "./search.ts";

export const LINE = 18;
const AT_END = 4;

interface Props {
  /** What names the log, in messages. */
  part: string;
  title: string;
  /** Whether nothing more will be written. */
  over: boolean;
  store: Followed;
}

/** The log of a task or a trial: only the lines that are seen are in the page. */
export function LogView({ part, title, over, store }: Props) {
  const [log, setLog] = useState<Log | null>(null);
  useEffect(() => {
    setLog(store.openLog(part));
    return () => store.closeLog(part);
  }, [part, store]);
  if (!log) return null;
  log.changed.value;
  if (!log.known) return <Waiting gone={store.gone.value !== ""} />;
  return <Lines log={log} part={part} title={title} over={over} store={store} />;
}

function Lines({ log, part, title, over, store }: Props & { log: Log }) {
  const box = useRef<HTMLDivElement>(null);
  const version = log.changed.value;
  const selection = useSelection(store.reading);
  const filter = useMemo(() => (selection ? new Filter(selection, log) : null), [selection, log]);
  filter?.update(log);
  const count = filter ? filter.lines.length : log.lines.length;
  const rows = useRows(box, count, LINE);
  const find = useFind(log, store.reading, (line) => {
    store.reading.follow.value = false;
    rows.reveal(filter ? filter.lines.indexOf(line) : line - log.first, true);
  });
  const follow = useFollow(box, store, version);
  const digits = String(log.end).length;
  const shown = useMemo(
    () => filter?.lines.slice(rows.from, rows.to) ?? range(log.first + rows.from, log.first + rows.to),
    // a version stands for the lines
    [version, log, filter, rows.from, rows.to],
  );
  return (
    <div class="log" role="tabpanel" aria-label="Log">
      <div class="log-bar">
        <Finder find={find} />
        <Filters reading={store.reading} log={log} />
        <label class="follow">
          <input type="checkbox" checked={store.reading.follow.value} onChange={follow} /> Follow
        </label>
        <Copy text={() => log.text} label="Copy the log">
          Copy
        </Copy>
        <button
          type="button"
          title="Download the whole log"
          onClick={() => store.saveLog(part, `${title}.log`)}
        >
          Download
        </button>
      </div>
      {log.first > 0 && <div class="log-note soft">{leftOut(log)}</div>}
      <div ref={box} class="lines" tabIndex={0} role="log" aria-live="off" aria-label={`Log of ${title}`}>
        <div class="sheet" style={`height:${count * LINE}px;min-width:${log.widest + digits + 4}ch`}>
          {shown.map((number, index) => (
            <Line
              key={number}
              number={number}
              digits={digits}
              top={(rows.from + index) * LINE}
              text={log.line(number)}
              spans={log.colours.get(number)}
              pattern={find.pattern}
              current={number === find.line}
            />
          ))}
        </div>
      </div>
      <div class="log-note soft">
        {filter && (
          <>
            {grouped(count)} of {many(log.lines.length, "line")} shown{" "}
            <button type="button" class="link" onClick={() => showAll(store.reading)}>
              Show all
            </button>
            {" · "}
          </>
        )}
        {ended(log, over)}
      </div>
    </div>
  );
}

/** Which lines are shown; null for all of them. */
function useSelection(reading: Reading): Selection | null {
  const [level, since] = [reading.level.value, reading.since.value];
  const [text, regular] = [reading.only.value ? reading.find.value : "", reading.regular.value];
  return useMemo(() => {
    const only = toPattern(text, regular);
    return level || since || only ? { level, since, only } : null;
  }, [level, since, text, regular]);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
}

function leftOut(log: Log): string {
  return `The first ${many(log.first, "line")} are left out: at most ${grouped(MOST_LINES)} are kept here.`;
}

function ended(log: Log, over: boolean): string {
  const lines = many(log.total, "line");
  if (log.ended) return log.total ? `${lines} · the log has ended` : "Nothing was written.";
  return over ? lines : `${lines} so far`;
}

/** Stay at the end as long as that is wished; scrolling up ends it, scrolling to the end begins it again. */
function useFollow(box: { current: HTMLDivElement | null }, store: Followed, version: number): () => void {
  const { follow } = store.reading;
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
  return () => {
    follow.value = !follow.peek();
  };
}
