import { now } from "../clock.ts";
import { LEVELS } from "./levels.ts";
import type { Log } from "./log.ts";
import type { Reading } from "./reading.ts";

const [MINUTE, HOUR, DAY] = [60, 3600, 86400];
const SPANS = [
  ["1 min ago", MINUTE],
  ["10 min ago", 10 * MINUTE],
  ["1 h ago", HOUR],
  ["1 day ago", DAY],
] as const;

/** Which lines of a log are shown: the words are those of `%kf_logs`. */
export function Filters({ reading, log }: { reading: Reading; log: Log }) {
  const level = (event: Event) => {
    reading.level.value = (event.currentTarget as HTMLSelectElement).selectedIndex;
  };
  const since = (event: Event) => {
    const chosen = SPANS[(event.currentTarget as HTMLSelectElement).selectedIndex - 1];
    reading.since.value = chosen ? now() - chosen[1] : 0;
  };
  return (
    <>
      <Toggle on={reading.regular} label="Regular expression" sign=".*" />
      <Toggle on={reading.only} label="Only lines that match" sign="Only matches" />
      <select aria-label="Level" value={String(reading.level.value)} onChange={level}>
        {LEVELS.map((name, at) => (
          <option key={name} value={String(at)}>
            {at ? `${name} and above` : "all levels"}
          </option>
        ))}
      </select>
      {log.times.length > 0 && (
        <select aria-label="Since" onChange={since}>
          <option selected={!reading.since.value}>since the beginning</option>
          {SPANS.map(([name]) => (
            <option key={name}>since {name}</option>
          ))}
        </select>
      )}
    </>
  );
}

function Toggle({ on, label, sign }: { on: Reading["only"]; label: string; sign: string }) {
  const turn = () => {
    on.value = !on.peek();
  };
  return (
    <button
      type="button"
      class="toggle"
      aria-pressed={on.value}
      aria-label={label}
      title={label}
      onClick={turn}
    >
      {sign}
    </button>
  );
}

/** Show all lines again. */
export function showAll(reading: Reading): void {
  reading.only.value = false;
  reading.level.value = 0;
  reading.since.value = 0;
  reading.ranks.value = [];
}
