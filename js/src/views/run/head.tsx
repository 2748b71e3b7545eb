import { Elapsed } from "../../kit/elapsed.tsx";
import { Pill } from "../../kit/pill.tsx";
import { assignments, joined, moment } from "../../kit/words.ts";
import type { RunHead } from "../../protocol.ts";
import { Actions } from "./actions.tsx";
import { Failures } from "./failures.tsx";
import type { RunStore } from "./store.ts";

/** A run's summary: its state, its errors first, what it was given, and what can be done. */
export function Head({ store }: { store: RunStore }) {
  const head = store.head.value;
  if (!head) return null;
  return (
    <header class="head">
      <div class="head-line">
        <Pill state={head.state} />
        <h3>{head.pipeline}</h3>
        <span class="soft">
          <Elapsed began={head.started} finished={head.finished} />
        </span>
        <Actions head={head} store={store} />
      </div>
      <div class="soft facts">{facts(store.id, head)}</div>
      <Values name="Arguments" pairs={head.arguments} />
      <Values name="Result" pairs={head.result} />
      <Values name="Metrics" pairs={head.metrics} />
      <Failures head={head} store={store} />
      {head.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {store.gone.value && <p class="note">{store.gone.value}</p>}
      <Doing store={store} />
    </header>
  );
}

function facts(id: string, head: RunHead): string {
  const began = moment(head.started ?? head.created);
  return joined(head.name, id, head.backend, head.experiment && `experiment ${head.experiment}`, began);
}

function Values({ name, pairs }: { name: string; pairs: RunHead["arguments"] }) {
  if (!pairs.length) return null;
  const text = assignments(pairs);
  return (
    <div class="values" title={text}>
      <span class="soft">{name}</span> {text}
    </div>
  );
}

const MOST_DOING = 3;

/** What is being done for tasks that do not run yet: an environment built, an image pulled. */
function Doing({ store }: { store: RunStore }) {
  store.changed.value;
  const texts = new Map<string, string[]>();
  for (const task of store.fold.value?.tasks.values() ?? [])
    if (task.doing && !store.gone.value) texts.set(task.doing, [...(texts.get(task.doing) ?? []), task.name]);
  const { doing = "" } = store.head.value ?? {};
  if (!texts.size && doing && !store.gone.value)
    return (
      <div class="doing" role="status">
        <span class="spinner" aria-hidden="true" />
        {doing}
      </div>
    );
  if (!texts.size) return null;
  const lines = [...texts].slice(0, MOST_DOING);
  return (
    <div class="doing" role="status">
      {lines.map(([text, names]) => (
        <div key={text}>
          <span class="spinner" aria-hidden="true" />
          <b>{names.length > 1 ? `${names[0]} and ${names.length - 1} more` : names[0]}</b> {text}
        </div>
      ))}
      {texts.size > MOST_DOING && <div class="soft">and {texts.size - MOST_DOING} more</div>}
    </div>
  );
}
