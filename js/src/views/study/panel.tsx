import { Details } from "../../kit/details.tsx";
import { Elapsed } from "../../kit/elapsed.tsx";
import { LogView } from "../../kit/log/logview.tsx";
import { Sign, stateStyle } from "../../kit/sign.tsx";
import { isOver, styleOf } from "../../kit/states.ts";
import { Tabs } from "../../kit/tabs.tsx";
import { digits } from "../../kit/words.ts";
import type { StudyTrial } from "../../protocol.ts";
import { lastValue, paramsOf } from "./ranking.ts";
import { NONE, type StudyStore } from "./store.ts";

const SECTIONS = [
  ["details", "Details"],
  ["log", "Log"],
] as const;

/** What there is to know of the trial that is open. */
export function TrialPanel({ store }: { store: StudyStore }) {
  store.changed.value;
  const trial = store.trials.get(store.view.open.value);
  if (!trial) return null;
  const { section } = store.view;
  const part = String(trial.number);
  return (
    <aside class="panel" aria-label={`Trial ${trial.number}`}>
      <PanelHead trial={trial} store={store} />
      <Tabs
        label="Sections"
        names={SECTIONS}
        chosen={section.value}
        choose={(next) => {
          section.value = next;
        }}
      />
      {section.value === "details" ? (
        <Details key={part} part={part} version={versionOf(trial)} store={store} />
      ) : (
        // what is written while it runs may end before it does: it is read anew at the end
        <LogView
          key={`${part} ${isOver(trial.state)}`}
          part={part}
          title={`trial ${trial.number}`}
          over={isOver(trial.state)}
          store={store}
        />
      )}
    </aside>
  );
}

function versionOf(trial: StudyTrial): string {
  return `${trial.state} ${trial.value} ${trial.curve?.length}`;
}

function PanelHead({ trial, store }: { trial: StudyTrial; store: StudyStore }) {
  const value = lastValue(trial);
  const best = store.ranking.value.best?.number === trial.number;
  return (
    <div class="panel-head" style={stateStyle(trial.state)}>
      <div class="panel-title">
        <Sign state={trial.state} />
        <b>{`Trial ${trial.number}${best ? " ★" : ""}`}</b>
        <span class="soft">
          {best ? "the best" : styleOf(trial.state).word}
          <Elapsed began={trial.started} finished={trial.finished ?? null} before=" · " />
        </span>
        <button
          type="button"
          class="close"
          aria-label="Close"
          title="Close (Esc)"
          onClick={() => {
            store.view.open.value = NONE;
          }}
        >
          ×
        </button>
      </div>
      {value !== null && <div class="facts">{`${store.head.value?.metric} = ${digits(value, 6)}`}</div>}
      <div class="soft facts">{paramsOf(trial)}</div>
    </div>
  );
}
