import type { StateName } from "../protocol.ts";
import { type Counts, inOrder, styleOf } from "./states.ts";

/** A thin bar of how many are in which state; the words are beside it. */
export function Segments({ counts, order }: { counts: Counts; order?: readonly StateName[] }) {
  return (
    <span class="segments" aria-hidden="true">
      {inOrder(counts, order).map(([state, number]) => (
        <span
          key={state}
          data-state={state}
          style={`flex-grow:${number};background:var(--${styleOf(state).colour})`}
        />
      ))}
    </span>
  );
}
