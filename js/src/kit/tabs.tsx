import type { StateName } from "../protocol.ts";
import { Sign } from "./sign.tsx";
import { type Counts, inOrder, styleOf } from "./states.ts";

interface Props<Name extends string> {
  label: string;
  names: readonly (readonly [Name, string])[];
  chosen: Name;
  choose: (name: Name) => void;
}

/** Tabs, which the arrow keys change too. */
export function Tabs<Name extends string>({ label, names, chosen, choose }: Props<Name>) {
  const at = names.findIndex(([name]) => name === chosen);
  const press = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const index = (at + step + names.length) % names.length;
    const next = names[index];
    if (next) choose(next[0]);
    const bar = event.currentTarget as HTMLElement;
    (bar.children[index] as HTMLElement | undefined)?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} onKeyDown={press}>
      {names.map(([name, title]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={name === chosen}
          tabIndex={name === chosen ? 0 : -1}
          onClick={() => choose(name)}
        >
          {title}
        </button>
      ))}
    </div>
  );
}

/** How many are in which state, in icons and words. */
export function Tally({ counts, order }: { counts: Counts; order?: readonly StateName[] }) {
  return (
    <span class="tally">
      {inOrder(counts, order).map(([state, number]) => (
        <span key={state}>
          <Sign state={state} /> {number} <span class="soft">{styleOf(state).word.toLowerCase()}</span>
        </span>
      ))}
    </span>
  );
}
