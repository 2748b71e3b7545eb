import { useMemo } from "preact/hooks";
import { focusCell } from "../../kit/focusCell.ts";
import { count } from "../../kit/states.ts";
import { matching, sorted } from "../../kit/table/columns.ts";
import { StateChoice } from "../../kit/table/statechoice.tsx";
import { Table } from "../../kit/table/table.tsx";
import { many } from "../../kit/words.ts";
import type { RunRow } from "../../protocol.ts";
import { columnsOf } from "./columns.tsx";
import type { RunsStore } from "./store.ts";

/** The table of runs: to filter, to sort, to fetch anew. */
export function RunsPicture({ store }: { store: RunsStore }) {
  const all = store.rows.value ?? [];
  const columns = useMemo(() => columnsOf(all), [all]);
  const { filter, hidden, order } = store;
  const counts = useMemo(() => count(all.map((row) => row.state)), [all]);
  const found = useMemo(() => {
    const states = all.filter((row) => !hidden.value.has(row.state));
    return matching(states, columns, filter.value);
  }, [all, columns, hidden.value, filter.value]);
  const rows = useMemo(() => {
    const column = columns.find(({ key }) => key === order.value?.column);
    return column && order.value ? sorted(found, column, order.value.down) : found;
  }, [found, columns, order.value]);
  return (
    <section class="kfnb" aria-label="Runs" onKeyDown={leave}>
      <div class="runs-bar">
        <input
          type="search"
          placeholder="Filter"
          aria-label="Filter the runs"
          value={filter.value}
          onInput={(event) => {
            filter.value = event.currentTarget.value;
          }}
        />
        <StateChoice counts={counts} hidden={hidden} />
        <span class="soft runs-count" role="status">
          {rows.length === all.length
            ? many(all.length, "run")
            : `${rows.length} of ${many(all.length, "run")}`}
        </span>
        {store.gone.value ? (
          <span class="soft">{store.gone.value}</span>
        ) : (
          <button type="button" disabled={store.asking.value} onClick={() => store.ask()}>
            {store.asking.value ? "Refreshing…" : "Refresh"}
          </button>
        )}
      </div>
      {all.length === 0 ? (
        <p class="soft">There are no runs yet.</p>
      ) : (
        <Table<RunRow>
          label="Runs"
          columns={columns}
          rows={rows}
          id={(row) => row.id}
          order={order.value}
          sort={(next) => {
            order.value = next;
          }}
        />
      )}
    </section>
  );
}

function leave(event: KeyboardEvent): void {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.preventDefault();
  focusCell(event.currentTarget as HTMLElement);
}
