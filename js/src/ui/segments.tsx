import { type Counts, inOrder, look } from "../states.ts";

/** A thin bar of how many are in which state; the words are beside it. */
export function Segments({ counts }: { counts: Counts }) {
  return (
    <span class="segments" aria-hidden="true">
      {inOrder(counts).map(([state, number]) => (
        <span
          key={state}
          data-state={state}
          style={`flex-grow:${number};background:var(--${look(state).colour})`}
        />
      ))}
    </span>
  );
}
