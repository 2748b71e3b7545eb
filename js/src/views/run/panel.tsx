import { useCallback, useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { Copy } from "../../kit/copy.tsx";
import { Details } from "../../kit/details.tsx";
import { Elapsed } from "../../kit/elapsed.tsx";
import { Html } from "../../kit/html.tsx";
import { LogView } from "../../kit/log/logview.tsx";
import { Sign, stateStyle } from "../../kit/sign.tsx";
import { isOver, styleOf } from "../../kit/states.ts";
import { Tabs } from "../../kit/tabs.tsx";
import { joined, many } from "../../kit/words.ts";
import type { RunTask } from "../../protocol.ts";
import { addButtons } from "./download.ts";
import { Iterations, inTurn } from "./iterations.tsx";
import type { Stack } from "./stack.ts";
import type { RunStore } from "./store.ts";
import type { Section } from "./view.ts";

const SECTIONS: readonly (readonly [Section, string])[] = [
  ["ranks", "Ranks"],
  ["details", "Details"],
  ["log", "Log"],
];

/** What there is to know of the task that is open. */
export function Panel({ store }: { store: RunStore }) {
  const key = store.view.open.value;
  const stack = key ? store.fold.value?.stacks.get(key) : undefined;
  if (!stack) return null;
  return <Open key={key} stack={stack} store={store} />;
}

function Open({ stack, store }: { stack: Stack; store: RunStore }) {
  stack.changed.value;
  const task = stack.tasks.get(store.view.task.value) ?? inTurn(stack)[0];
  // the task that was shown first stays, also when another one fails meanwhile
  useEffect(() => {
    if (task && !store.view.task.peek()) store.view.task.value = task.id;
  }, [task, store]);
  const panel = useRef<HTMLElement>(null);
  useLayoutEffect(() => intoView(panel.current), []);
  if (!task) return null;
  const adorn = useCallback(
    (details: HTMLElement, part: string) => addButtons(details, part, store),
    [store],
  );
  const choose = (section: Section) => {
    store.view.section.value = section;
  };
  const [sections, section] = sectionsOf(task, store);
  return (
    <aside ref={panel} class="panel" data-ranks={task.processes > 0} aria-label={`Task ${task.title}`}>
      <PanelHead task={task} store={store} />
      {stack.tasks.size > 1 && <Iterations stack={stack} chosen={task.id} store={store} />}
      <Tabs label="Sections" names={sections} chosen={section} choose={choose} />
      {section === "ranks" && (
        <div class="section" role="tabpanel" aria-label="Ranks">
          <Html html={task.ranks} />
        </div>
      )}
      {section === "details" && (
        <Details
          key={task.id}
          part={task.id}
          version={`${task.state} ${task.attempts} ${task.known}`}
          store={store}
          adorn={adorn}
        />
      )}
      {section === "log" && (
        <LogView
          key={task.id}
          part={task.id}
          title={task.title}
          over={isOver(task.state)}
          processes={task.processes}
          store={store}
        />
      )}
    </aside>
  );
}

/** The sections of a task, of which only a training has ranks, and the one that is shown. */
function sectionsOf(task: RunTask, store: RunStore): [typeof SECTIONS, Section] {
  const sections = task.processes ? SECTIONS : SECTIONS.slice(1);
  const [chosen] = sections.find(([name]) => name === store.view.section.value) ?? sections[0] ?? ["details"];
  return [sections, chosen];
}

/** A panel below the graph may be out of sight: its beginning is scrolled into view. */
function intoView(panel: HTMLElement | null): void {
  const main = panel?.previousElementSibling;
  if (!panel || !main || panel.getBoundingClientRect().top < main.getBoundingClientRect().bottom) return;
  panel.firstElementChild?.scrollIntoView?.({ block: "nearest" });
}

function PanelHead({ task, store }: { task: RunTask; store: RunStore }) {
  // the details begin with the error too, as soon as they are those of the task that failed
  const details = sectionsOf(task, store)[1] === "details" ? store.details.value.get(task.id) : "";
  const showsError = details?.includes('role="alert"');
  const facts = joined(
    task.turn.length > 0 && store.label(task),
    task.cached && "cached",
    task.attempts > 1 && many(task.attempts, "attempt"),
    task.path.length > 1 && `in ${task.path.slice(0, -1).join(" / ")}`,
  );
  return (
    <div class="panel-head" style={stateStyle(task.state)}>
      <div class="panel-title">
        <Sign state={task.state} />
        <b>{task.title}</b>
        <span class="soft">
          {styleOf(task.state).word}
          <Elapsed began={task.began[0]} finished={task.finished} before=" · " />
        </span>
        {task.state === "FAILED" && (
          <Copy
            text={() => store.errors.get(task.id) || task.error}
            label={`Copy the error of ${task.title}`}
          >
            Copy error
          </Copy>
        )}
        <button
          type="button"
          class="close"
          aria-label="Close"
          title="Close (Esc)"
          onClick={() => store.view.show("")}
        >
          ×
        </button>
      </div>
      {facts && <div class="soft facts">{facts}</div>}
      {task.doing && !isOver(task.state) && (
        <div class="doing">
          <span class="spinner" aria-hidden="true" />
          {task.doing}
        </div>
      )}
      {task.error && !showsError && (
        <div class="alert">
          {task.place && <div class="soft">{task.place}</div>}
          <div class="message">{task.error}</div>
        </div>
      )}
    </div>
  );
}
