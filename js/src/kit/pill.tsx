import type { StateName } from "../protocol.ts";
import { Sign, stateStyle } from "./sign.tsx";
import { styleOf } from "./states.ts";

/** A run's state, as large as its title. */
export function Pill({ state }: { state: StateName }) {
  return (
    <span class="pill" style={stateStyle(state)} role="status" data-state={state}>
      <Sign state={state} />
      {styleOf(state).word}
    </span>
  );
}
