import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Log, MOST_LINES } from "../log/log.ts";
import type { Followed } from "../store/followed.ts";
import { Copy } from "../ui/copy.tsx";
import { useRows } from "../ui/rows.ts";
import { Waiting } from "../ui/waiting.tsx";
import { grouped, many } from "../words.ts";
import { Finder, useFind } from "./find.tsx";
import { Line } from "./line.tsx";

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
  return <Lines log={log} title={title} over={over} store={store} />;
}

function Lines({ log, title, over, store }: Omit<Props, "part"> & { log: Log }) {
  const box = useRef<HTMLDivElement>(null);
  const version = log.changed.value;
  const rows = useRows(box, log.lines.length, LINE);
  const find = useFind(log, store.reading, (line) => {
    store.reading.follow.value = false;
    rows.reveal(line - log.first, true);
  });
  const follow = useFollow(box, store, version);
  const digits = String(log.end).length;
  const shown = useMemo(
    () => log.lines.slice(rows.from, rows.to),
    // a version stands for the lines
    [version, log, rows.from, rows.to],
  );
  return (
    <div class="log" role="tabpanel" aria-label="Log">
      <div class="log-bar">
        <Finder find={find} />
        <label class="follow">
          <input type="checkbox" checked={store.reading.follow.value} onChange={follow} /> Follow
        </label>
        <Copy text={() => log.text} label="Copy the log">
          Copy
        </Copy>
      </div>
      {log.first > 0 && <div class="log-note soft">{leftOut(log)}</div>}
      <div ref={box} class="lines" tabIndex={0} role="log" aria-live="off" aria-label={`Log of ${title}`}>
        <div
          class="sheet"
          style={`height:${log.lines.length * LINE}px;min-width:${log.widest + digits + 4}ch`}
        >
          {shown.map((text, index) => {
            const number = log.first + rows.from + index;
            return (
              <Line
                key={number}
                number={number}
                digits={digits}
                top={(rows.from + index) * LINE}
                text={text}
                word={find.word}
                current={number === find.line}
              />
            );
          })}
        </div>
      </div>
      <div class="log-note soft">{ended(log, over)}</div>
    </div>
  );
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
