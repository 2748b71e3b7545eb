import { webAddress } from "../../kit/address.ts";
import { Copy } from "../../kit/copy.tsx";
import { Sign } from "../../kit/sign.tsx";
import { STATES, styleOf } from "../../kit/states.ts";
import type { Column } from "../../kit/table/columns.ts";
import { duration, moment } from "../../kit/words.ts";
import type { Pair, RunRow } from "../../protocol.ts";

const MOST_NAMES = 20;

/** The columns that these runs have: without those that no run fills. */
export function columnsOf(rows: readonly RunRow[]): Column<RunRow>[] {
  const fixed: Column<RunRow>[] = [
    {
      key: "state",
      title: "State",
      text: (row) => styleOf(row.state).word,
      value: (row) => STATES.indexOf(row.state),
      cell: (row) => (
        <span>
          <Sign state={row.state} /> {styleOf(row.state).word}
        </span>
      ),
    },
    { key: "id", title: "Run", text: (row) => row.id, cell: (row) => <Id row={row} /> },
    { key: "pipeline", title: "Pipeline", text: (row) => row.pipeline },
    { key: "name", title: "Name", text: (row) => row.name },
    { key: "experiment", title: "Experiment", text: (row) => row.experiment },
    { key: "schedule", title: "Schedule", text: (row) => row.schedule },
    { key: "archived", title: "Archived", text: (row) => (row.archived ? "yes" : "") },
    { key: "created", title: "Created", text: (row) => moment(row.created), value: (row) => row.created },
    {
      key: "seconds",
      title: "Time",
      number: true,
      text: (row) => duration(row.seconds),
      value: (row) => row.seconds,
    },
  ];
  const filled = fixed.filter((column) => rows.some((row) => column.text(row)));
  return [...filled, ...pairColumns(rows, "metrics"), ...pairColumns(rows, "arguments")];
}

function Id({ row }: { row: RunRow }) {
  const url = webAddress(row.url);
  return (
    <span class="run-id">
      {url ? (
        <a href={url} target="_blank" rel="noopener noreferrer" title="Open in Kubeflow">
          {row.id}
        </a>
      ) : (
        <span>{row.id}</span>
      )}
      <Copy text={row.id} label={`Copy ${row.id}`} terse>
        <CopySign />
      </Copy>
    </span>
  );
}

function CopySign() {
  return (
    <svg
      viewBox="0 0 16 16"
      width="13"
      height="13"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      aria-hidden="true"
    >
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 3 V2.5 H3.5 A1 1 0 0 0 2.5 3.5 V10.5 H3" />
    </svg>
  );
}

function pairColumns(rows: readonly RunRow[], which: "metrics" | "arguments"): Column<RunRow>[] {
  const names = new Map<string, boolean>();
  for (const row of rows)
    for (const [name, value] of row[which])
      names.set(name, (names.get(name) ?? true) && !Number.isNaN(Number(value)));
  return [...names].slice(0, MOST_NAMES).map(([name, number]) => ({
    key: `${which}/${name}`,
    title: name,
    number,
    text: (row) => pairIn(row[which], name),
  }));
}

function pairIn(pairs: readonly Pair[], name: string): string {
  return pairs.find(([own]) => own === name)?.[1] ?? "";
}
