import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { RunStore } from "./store.ts";

const CALM = 5000;

/** Ask for what tells iterations apart, at first and when there are more of them, but not more often than sensible. */
export function useLabels(store: RunStore): void {
  const last = useRef({ count: 0, timer: 0 });
  useSignalEffect(() => {
    store.changed.value;
    const state = last.current;
    if (state.timer || state.count === tellable(store)) return;
    const ask = () => {
      state.timer = 0;
      state.count = tellable(store);
      store.askLabels();
    };
    if (state.count) state.timer = window.setTimeout(ask, CALM);
    else ask();
  });
  useEffect(() => () => clearTimeout(last.current.timer), []);
}

/** How much there is to tell: groups, and iterations that have begun, since what they were given is known only then. */
function tellable(store: RunStore): number {
  let sum = 0;
  for (const task of store.fold.peek()?.tasks.values() ?? [])
    if (task.group || (task.turn.length && task.began.length)) sum++;
  return sum;
}
