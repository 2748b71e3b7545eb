import { useEffect, useMemo, useState } from "preact/hooks";
import type { Followed } from "../../store/followed.ts";
import { Copy } from "../copy.tsx";
import { Waiting } from "../waiting.tsx";
import { grouped, many } from "../words.ts";
import { Column } from "./column.tsx";
import { Filter } from "./filter.ts";
import { Filters, showAll } from "./filters.tsx";
import { Finder, useFind } from "./find.tsx";
import { type Log, MOST_LINES } from "./log.ts";
import { RankChoice } from "./rankchoice.tsx";
import type { Reading } from "./reading.ts";
import { toPattern } from "./search.ts";

interface Props {
  /** What names the log, in messages. */
  part: string;
  title: string;
  /** Whether nothing more will be written. */
  over: boolean;
  /** How many processes a training has, whose lines are shown together or apart. */
  processes?: number;
  store: Followed;
}

/** The log of a task or a trial: only the lines that are seen are in the page. */
export function LogView({ part, title, over, processes, store }: Props) {
  const [log, setLog] = useState<Log | null>(null);
  useEffect(() => {
    setLog(store.openLog(part));
    return () => store.closeLog(part);
  }, [part, store]);
  if (!log) return null;
  log.changed.value;
  if (!log.known) return <Waiting gone={store.gone.value !== ""} />;
  return <Lines log={log} part={part} title={title} over={over} processes={processes ?? 0} store={store} />;
}

function Lines({ log, part, title, over, processes, store }: Props & { log: Log; processes: number }) {
  const { reading } = store;
  const columns = useColumns(reading, processes);
  const filters = useFilters(reading, columns, log);
  const find = useFind(log, reading, () => {
    reading.follow.value = false;
  });
  const follow = () => {
    reading.follow.value = !reading.follow.peek();
  };
  return (
    <div class="log" role="tabpanel" aria-label="Log">
      <div class="log-bar">
        <Finder find={find} />
        {processes > 1 && <RankChoice processes={processes} reading={reading} />}
        <Filters reading={reading} log={log} />
        <label class="follow">
          <input type="checkbox" checked={reading.follow.value} onChange={follow} /> Follow
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
      <div class="log-columns">
        {columns.map((rank, index) => (
          <div key={rank} class="log-column">
            {columns.length > 1 && <div class="log-note soft">rank {rank}</div>}
            <Column
              log={log}
              filter={filters[index] ?? null}
              rank={rank}
              title={rank === null ? title : `${title}, rank ${rank}`}
              find={find}
              reading={reading}
            />
          </div>
        ))}
      </div>
      <div class="log-note soft">
        {filters[0] && (
          <>
            {grouped(shownOf(filters))} of {many(log.lines.length, "line")} shown{" "}
            <button type="button" class="link" onClick={() => showAll(reading)}>
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

/** The ranks whose lines are side by side; one column of all where none is chosen. */
function useColumns(reading: Reading, processes: number): readonly (number | null)[] {
  const ranks = reading.ranks.value;
  return useMemo(() => {
    const chosen = ranks.filter((rank) => rank < processes);
    return chosen.length ? chosen : [null];
  }, [ranks, processes]);
}

/** Which lines each column shows; null for all of them. */
function useFilters(reading: Reading, columns: readonly (number | null)[], log: Log): (Filter | null)[] {
  const [level, since] = [reading.level.value, reading.since.value];
  const [text, regular] = [reading.only.value ? reading.find.value : "", reading.regular.value];
  const filters = useMemo(() => {
    const only = toPattern(text, regular);
    return columns.map((rank) =>
      level || since || only || rank !== null ? new Filter({ level, since, only, rank }, log) : null,
    );
  }, [level, since, text, regular, columns, log]);
  for (const filter of filters) filter?.update(log);
  return filters;
}

function shownOf(filters: readonly (Filter | null)[]): number {
  return filters.reduce((sum, filter) => sum + (filter?.lines.length ?? 0), 0);
}

function leftOut(log: Log): string {
  return `The first ${many(log.first, "line")} are left out: at most ${grouped(MOST_LINES)} are kept here.`;
}

function ended(log: Log, over: boolean): string {
  const lines = many(log.total, "line");
  if (log.ended) return log.total ? `${lines} · the log has ended` : "Nothing was written.";
  return over ? lines : `${lines} so far`;
}
