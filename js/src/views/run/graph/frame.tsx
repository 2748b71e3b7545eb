import { useComputed } from "@preact/signals";
import { Sign, stateStyle } from "../../../kit/sign.tsx";
import { TIMES } from "../../../kit/words.ts";
import type { Stack } from "../stack.ts";
import type { RunStore } from "../store.ts";
import { ofGroup, spoken, stateOf } from "./caption.ts";
import type { Place } from "./level.ts";
import type { Stage } from "./stage.ts";

interface Props {
  stack: Stack;
  place: Place;
  store: RunStore;
  stage: Stage;
}

/** An open group: a frame around what is in it. */
export function GroupFrame({ stack, place, store, stage }: Props) {
  stack.changed.value;
  const focused = useComputed(() => stage.focus.value === stack.key).value;
  const state = stateOf(stack);
  const title = store.title(stack);
  const iterations = stack.iterations;
  return (
    <div
      class="frame"
      data-faint={state === "SKIPPED"}
      style={`${stateStyle(state)};left:${place.x}px;top:${place.y}px;width:${place.width}px;height:${place.height}px`}
    >
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the graph listens to the keys */}
      <div
        role="treeitem"
        class="frame-head"
        data-key={stack.key}
        tabIndex={focused ? 0 : -1}
        aria-level={stack.path.length}
        aria-expanded={true}
        aria-selected={false}
        aria-label={spoken(stack, title)}
        title={`Fold ${title}`}
        onClick={() => store.view.fold(stack.key)}
        onFocus={() => {
          stage.focus.value = stack.key;
        }}
      >
        <span class="chevron" aria-hidden="true">
          ▾
        </span>
        <Sign state={state} />
        <span class="title">{title}</span>
        {iterations > 1 && <span class="count">{`${TIMES}${iterations}`}</span>}
        <span class="caption">{ofGroup(stack)}</span>
      </div>
    </div>
  );
}
