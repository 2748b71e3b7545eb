import { styleOf } from "../../kit/states.ts";
import { brief, digits } from "../../kit/words.ts";
import { lastValue } from "./ranking.ts";
import type { StudyStore } from "./store.ts";

const MOST = 8;

interface Props {
  place: readonly [x: number, y: number];
  width: number;
  store: StudyStore;
}

/** The trial that is pointed at, in a few words. */
export function Tip({ place: [x, y], width, store }: Props) {
  const trial = store.trials.get(store.view.hover.value);
  if (!trial) return null;
  const value = lastValue(trial);
  const params = Object.entries(trial.params ?? {});
  const side = x > width / 2 ? `right:${width - x + 14}px` : `left:${x + 14}px`;
  return (
    <div class="tip" aria-hidden="true" style={`${side};top:${Math.max(0, y - 14)}px`}>
      <div>
        <b>Trial {trial.number}</b>
        {trial.state !== "SUCCEEDED" && (
          <span class="soft">{` ${styleOf(trial.state).word.toLowerCase()}`}</span>
        )}
      </div>
      {value !== null && <div>{`${store.head.value?.metric} = ${digits(value, 6)}`}</div>}
      {params.slice(0, MOST).map(([name, of]) => (
        <div key={name}>
          <span class="soft">{`${name} = `}</span>
          {brief(of)}
        </div>
      ))}
      {params.length > MOST && <div class="soft">{`and ${params.length - MOST} more`}</div>}
      {trial.error && <div class="tip-error">{trial.error}</div>}
    </div>
  );
}
