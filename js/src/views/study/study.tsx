import { focusCell } from "../../kit/focusCell.ts";
import { LastUpdate } from "../../kit/lastUpdate.ts";
import { Tabs } from "../../kit/tabs.tsx";
import { grouped, many } from "../../kit/words.ts";
import { rangeText } from "./brush.ts";
import { Curves } from "./curves.tsx";
import { StudyTitle } from "./head.tsx";
import { History } from "./history.tsx";
import { Importances } from "./importances.tsx";
import { TrialPanel } from "./panel.tsx";
import { Parallel } from "./parallel.tsx";
import { Slices } from "./slices.tsx";
import { NONE, type StudyStore, type StudyTab } from "./store.ts";
import { Trials } from "./trials.tsx";

const TABS: readonly (readonly [StudyTab, string])[] = [
  ["overview", "Overview"],
  ["slices", "Slices"],
  ["curves", "Curves"],
  ["trials", "Trials"],
];

/** The live picture of a study. */
export function StudyPicture({ store }: { store: StudyStore }) {
  const { tab, open } = store.view;
  return (
    <section
      class="kfnb"
      data-gone={store.gone.value !== ""}
      aria-label={`Study ${store.head.value?.name ?? ""}, live`}
      onKeyDown={leave(store)}
    >
      <LastUpdate.Provider value={store.until.value}>
        <StudyTitle store={store} />
        <div class="bar">
          <Tabs
            label="Views"
            names={TABS}
            chosen={tab.value}
            choose={(next) => {
              tab.value = next;
            }}
          />
          <Chosen store={store} />
        </div>
        <div class="body" data-open={store.trials.has(open.value)} data-tab={tab.value}>
          <div class="main" role="tabpanel" aria-label={TABS.find(([name]) => name === tab.value)?.[1]}>
            <Main store={store} />
          </div>
          <TrialPanel store={store} />
        </div>
      </LastUpdate.Provider>
    </section>
  );
}

function Main({ store }: { store: StudyStore }) {
  const tab = store.view.tab.value;
  if (!store.ranking.value.all.length) return <p class="soft">No trial has begun yet.</p>;
  if (tab === "trials") return <Trials store={store} />;
  if (tab === "curves") return <Curves store={store} />;
  if (!store.ranking.value.best)
    return <p class="soft">The charts begin with the first trial that has a value.</p>;
  if (tab === "slices") return <Slices store={store} />;
  return (
    <>
      <div class="charts">
        <History store={store} />
        <Importances store={store} />
      </div>
      <Parallel store={store} />
    </>
  );
}

/** Which trials are chosen, and the way back to all of them. */
function Chosen({ store }: { store: StudyStore }) {
  const chosen = store.chosen.value;
  if (!chosen) return null;
  const ranges = store.axes.value.flatMap((axis) => {
    const range = store.view.brushes.value.get(axis.key);
    return range ? [rangeText(axis, range)] : [];
  });
  return (
    <span class="chosen" role="status">
      <b>{`${grouped(chosen.size)} of ${many(store.trials.size, "trial")}`}</b>
      <span class="soft">{ranges.join(", ")}</span>
      <button
        type="button"
        onClick={() => {
          store.view.brushes.value = new Map();
        }}
      >
        Show all
      </button>
    </span>
  );
}

/** Escape closes the panel, and then goes back to the notebook's cell. */
function leave(store: StudyStore) {
  return (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    if (store.view.open.peek() !== NONE) store.view.open.value = NONE;
    else focusCell(event.currentTarget as HTMLElement);
  };
}
