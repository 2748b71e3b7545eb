import { useComputed } from "@preact/signals";
import { Elapsed } from "../../../kit/elapsed.tsx";
import { Segments } from "../../../kit/segments.tsx";
import { Sign, stateStyle } from "../../../kit/sign.tsx";
import { type Counts, tally } from "../../../kit/states.ts";
import { TIMES } from "../../../kit/words.ts";
import type { Stack } from "../stack.ts";
import type { RunStore } from "../store.ts";
import { sheets } from "./boxes.ts";
import { countsOf, ofGroup, ofMany, ofOne, spoken, stateOf } from "./caption.ts";
import type { Place } from "./level.ts";
import type { Stage } from "./stage.ts";

interface Props {
  stack: Stack;
  place: Place;
  store: RunStore;
  stage: Stage;
}

/** One node: a task, all iterations of one, or a folded group. */
export function Card({ stack, place, store, stage }: Props) {
  stack.changed.value;
  const focused = useComputed(() => stage.focus.value === stack.key).value;
  const open = useComputed(() => store.view.open.value === stack.key).value;
  const state = stateOf(stack);
  const title = store.title(stack);
  const iterations = stack.group ? stack.iterations : stack.tasks.size;
  const under = sheets(stack, false);
  const counts = countsOf(stack);
  const faint = state === "SKIPPED" || state === "PENDING";
  const act = () => (stack.group ? store.view.fold(stack.key) : store.view.show(stack.key));
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the graph listens to the keys
    <div
      role="treeitem"
      class="card"
      data-key={stack.key}
      data-state={state}
      data-faint={faint}
      data-group={stack.group}
      data-open={open}
      data-sheets={under}
      style={`${stateStyle(state)};left:${place.x}px;top:${place.y}px;width:${place.width - under * 4}px;height:${place.height - under * 4}px`}
      tabIndex={focused ? 0 : -1}
      aria-level={stack.path.length}
      aria-expanded={stack.group ? false : undefined}
      aria-selected={open}
      aria-label={spoken(stack, title)}
      title={`${stack.path.join(" / ")}: ${tally(counts)}`}
      onClick={act}
      onFocus={() => {
        stage.focus.value = stack.key;
        stage.lit.value = stack.key;
      }}
      onPointerEnter={() => {
        stage.lit.value = stack.key;
      }}
      onPointerLeave={() => {
        stage.lit.value = "";
      }}
    >
      <Sign state={state} />
      <span class="words">
        <span class="title">{title}</span>
        <Caption stack={stack} counts={counts} />
      </span>
      {iterations > 1 && <span class="badge">{`${TIMES}${iterations}`}</span>}
      {iterations <= 1 && !stack.group && <Attempts count={stack.first?.attempts ?? 0} />}
      {counts.size > 0 && (stack.group || iterations > 1) && <Segments counts={counts} />}
    </div>
  );
}

function Caption({ stack, counts }: { stack: Stack; counts: Counts }) {
  const task = stack.first;
  if (stack.group) return <span class="caption">{ofGroup(stack)}</span>;
  if (stack.tasks.size > 1 || !task) return <span class="caption">{ofMany(counts)}</span>;
  return (
    <span class="caption">
      {ofOne(task)}
      {!task.cached && !task.doing && <Elapsed began={task.began[0]} finished={task.finished} before=" · " />}
    </span>
  );
}

function Attempts({ count }: { count: number }) {
  if (count < 2) return null;
  return <span class="badge" title={`${count} attempts`}>{`↻${count}`}</span>;
}
