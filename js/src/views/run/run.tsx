import { focusCell } from "../../kit/focusCell.ts";
import { LastUpdate } from "../../kit/lastUpdate.ts";
import { count } from "../../kit/states.ts";
import { Tabs, Tally } from "../../kit/tabs.tsx";
import { Graph, useLayout } from "./graph/graph.tsx";
import { MARGIN } from "./graph/stage.ts";
import { Head } from "./head.tsx";
import { useLabels } from "./labels.ts";
import { Panel } from "./panel.tsx";
import type { RunStore } from "./store.ts";
import { TasksTable } from "./tasks.tsx";
import { Timeline } from "./timeline/timeline.tsx";

const TABS = [
  ["graph", "Graph"],
  ["timeline", "Timeline"],
  ["tasks", "Tasks"],
  ["report", "Report"],
] as const;

/** The live picture of a run. */
export function RunPicture({ store }: { store: RunStore }) {
  useLabels(store);
  return (
    <section
      class="kfnb"
      data-gone={store.gone.value !== ""}
      aria-label={`Run of ${store.head.value?.pipeline ?? ""}`}
      onKeyDown={leave(store)}
    >
      <LastUpdate.Provider value={store.until.value}>
        <Head store={store} />
        <Bar store={store} />
        <div class="body" data-open={store.view.open.value !== ""} data-tab={store.view.tab.value}>
          <Main store={store} />
          <Panel store={store} />
        </div>
      </LastUpdate.Provider>
    </section>
  );
}

function Bar({ store }: { store: RunStore }) {
  store.changed.value;
  const work = [...(store.fold.value?.tasks.values() ?? [])].filter((task) => !task.group);
  const choose = (tab: (typeof TABS)[number][0]) => {
    store.view.tab.value = tab;
    // a panel would push the report out of sight
    if (tab === "report") store.view.show("");
  };
  return (
    <div class="bar">
      <Tabs label="Views" names={TABS} chosen={store.view.tab.value} choose={choose} />
      <Tally counts={count(work.map((task) => task.state))} />
    </div>
  );
}

function Main({ store }: { store: RunStore }) {
  const tab = store.view.tab.value;
  const layout = useLayout(store);
  // a panel has a place beside the graph only where all of it can still be seen, without scaling
  const basis = tab === "graph" ? `flex-basis:${layout.value.width + 2 * MARGIN}px` : undefined;
  return (
    <div class="main" role="tabpanel" style={basis}>
      {tab === "graph" && <Graph store={store} layout={layout} />}
      {tab === "timeline" && <Timeline store={store} />}
      {tab === "tasks" && <TasksTable store={store} />}
      {/* of a report, the static picture shows below, with all that the tasks have made */}
    </div>
  );
}

/** Escape closes the panel, and then goes back to the notebook's cell. */
function leave(store: RunStore) {
  return (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    if (store.view.open.peek()) store.view.show("");
    else focusCell(event.currentTarget as HTMLElement);
  };
}
