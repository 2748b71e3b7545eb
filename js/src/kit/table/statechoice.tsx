import type { Signal } from "@preact/signals";
import type { StateName } from "../../protocol.ts";
import { Sign } from "../sign.tsx";
import { type Counts, inOrder, styleOf } from "../states.ts";

/** A switch for each state of a row. */
export function StateChoice({ counts, hidden }: { counts: Counts; hidden: Signal<ReadonlySet<StateName>> }) {
  const change = (state: StateName) => {
    const next = new Set(hidden.peek());
    if (!next.delete(state)) next.add(state);
    hidden.value = next;
  };
  return (
    <fieldset class="states" aria-label="States">
      {inOrder(counts).map(([state, number]) => (
        <button
          key={state}
          type="button"
          aria-pressed={!hidden.value.has(state)}
          onClick={() => change(state)}
        >
          <Sign state={state} /> {styleOf(state).word} <span class="soft">{number}</span>
        </button>
      ))}
    </fieldset>
  );
}
