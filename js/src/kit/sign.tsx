import type { StateName } from "../protocol.ts";
import { styleOf } from "./states.ts";

/** A state's icon: a disc or a ring with its sign. The text beside it has it in words. */
export function Sign({ state }: { state: StateName }) {
  const { colour, sign, solid } = styleOf(state);
  const own = `var(--${colour})`;
  return (
    <svg class="sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" data-state={state}>
      <circle cx="8" cy="8" r="7.2" fill={solid ? own : "none"} stroke={own} stroke-width="1.6" />
      {sign && <path d={sign} fill="none" stroke={solid ? "#fff" : own} stroke-width="1.8" />}
    </svg>
  );
}

/** The state's colour, for the style of what is drawn in it. */
export function stateStyle(state: StateName): string {
  return `--state:var(--${styleOf(state).colour})`;
}
