import { useMemo } from "preact/hooks";
import { Sign } from "../../kit/sign.tsx";
import { isOver, STATES, styleOf } from "../../kit/states.ts";
import { type Column, matching, sorted } from "../../kit/table/columns.ts";
import { StateChoice } from "../../kit/table/statechoice.tsx";
import { Table } from "../../kit/table/table.tsx";
import { brief, duration, grouped, many } from "../../kit/words.ts";
import type { StudyHead, StudyTrial } from "../../protocol.ts";
import type { Ranking } from "./ranking.ts";
import type { StudyStore } from "./store.ts";

const MOST_COLUMNS = 30;

/** All trials, or the chosen ones, to filter and to sort. */
export function Trials({ store }: { store: StudyStore }) {
  const ranking = store.ranking.value;
  const chosen = store.chosen.value;
  const head = store.head.value;
  const { filter, hidden, order, open } = store.view;
  const names = useNames(ranking);
  const columns = useMemo(
    () => (head ? columnsOf(head, names, store) : []),
    [head?.metric, head?.space, names, store],
  );
  const best = useMemo(() => ranking.bestFirst(), [ranking]);
  const found = useMemo(() => {
    const some = best.filter(
      (trial) => !hidden.value.has(trial.state) && (chosen?.has(trial.number) ?? true),
    );
    return matching(some, columns, filter.value);
  }, [best, columns, chosen, hidden.value, filter.value]);
  const rows = useMemo(() => {
    const column = columns.find(({ key }) => key === order.value?.column);
    return column && order.value ? sorted(found, column, order.value.down) : found;
  }, [found, columns, order.value]);
  return (
    <>
      <div class="runs-bar trials-bar">
        <input
          type="search"
          placeholder="Filter"
          aria-label="Filter the trials"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
        />
        <StateChoice counts={ranking.counts} hidden={hidden} />
        <span class="soft runs-count" role="status">
          {rows.length === best.length
            ? many(best.length, "trial")
            : `${grouped(rows.length)} of ${many(best.length, "trial")}`}
        </span>
      </div>
      <Table<StudyTrial>
        label="Trials"
        columns={columns}
        rows={rows}
        id={(trial) => String(trial.number)}
        order={order.value}
        sort={(next) => {
          order.value = next;
        }}
        chosen={String(open.value)}
        choose={(trial) => {
          open.value = trial.number;
        }}
      />
    </>
  );
}

/** The names of parameters and of further metrics that trials have; the same list as long as they are the same. */
function useNames(ranking: Ranking): { params: string[]; metrics: string[] } {
  const [params, metrics] = [new Set<string>(), new Set<string>()];
  for (const trial of ranking.all) {
    for (const name in trial.params ?? {}) params.add(name);
    for (const name in trial.metrics ?? {}) metrics.add(name);
  }
  const key = JSON.stringify([[...params], [...metrics]]);
  return useMemo(() => ({ params: [...params], metrics: [...metrics] }), [key]);
}

function columnsOf(
  head: StudyHead,
  names: { params: string[]; metrics: string[] },
  store: StudyStore,
): Column<StudyTrial>[] {
  const choices = new Set(head.space.filter(({ kind }) => kind === "choice").map(({ name }) => name));
  const ordered = [...head.space.map(({ name }) => name).filter((name) => names.params.includes(name))];
  const params = [...ordered, ...names.params.filter((name) => !ordered.includes(name))];
  const seconds = ({ started, finished }: StudyTrial) =>
    typeof started === "number" && typeof finished === "number" ? finished - started : null;
  return [
    {
      key: "number",
      title: "Trial",
      text: ({ number }) => String(number),
      value: ({ number }) => number,
      cell: ({ number }) => <Opener number={number} store={store} />,
    },
    {
      key: "state",
      title: "State",
      text: ({ state }) => styleOf(state).word,
      value: ({ state }) => STATES.indexOf(state),
      cell: ({ state }) => (
        <span>
          <Sign state={state} /> {styleOf(state).word}
        </span>
      ),
    },
    {
      key: "value",
      title: head.metric,
      number: true,
      text: ({ value }) => brief(value),
      value: ({ value }) => value ?? null,
    },
    ...params.slice(0, MOST_COLUMNS).map(
      (name): Column<StudyTrial> => ({
        key: `params/${name}`,
        title: name,
        number: !choices.has(name),
        text: (trial) => brief(trial.params?.[name]),
      }),
    ),
    ...names.metrics.slice(0, MOST_COLUMNS).map(
      (name): Column<StudyTrial> => ({
        key: `metrics/${name}`,
        title: name,
        number: true,
        text: (trial) => brief(trial.metrics?.[name]),
      }),
    ),
    { key: "time", title: "Time", number: true, text: (trial) => duration(seconds(trial)), value: seconds },
    { key: "note", title: "Note", text: note },
  ];
}

function Opener({ number, store }: { number: number; store: StudyStore }) {
  const best = store.ranking.value.best?.number === number;
  return (
    <button
      type="button"
      class="link"
      onClick={() => {
        store.view.open.value = number;
      }}
    >
      {best ? `${number} ★` : String(number)}
    </button>
  );
}

function note(trial: StudyTrial): string {
  return (
    trial.error ?? (trial.state === "FAILED" && isOver(trial.state) ? "no message; its log may say why" : "")
  );
}
