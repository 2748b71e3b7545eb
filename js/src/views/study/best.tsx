import { brief, digits, grouped } from "../../kit/words.ts";
import type { StudyHead } from "../../protocol.ts";
import type { Ranking } from "./ranking.ts";
import type { StudyStore } from "./store.ts";

/** The best trial: its value, its parameters, and how it compares. */
export function Best({ head, store }: { head: StudyHead; store: StudyStore }) {
  const ranking = store.ranking.value;
  const { best } = ranking;
  if (!best) return ranking.all.length ? <p class="soft">No trial has a value yet.</p> : null;
  return (
    <div class="best">
      <div>
        <button
          type="button"
          class="link soft"
          onClick={() => {
            store.view.open.value = best.number;
          }}
        >
          Best trial ({best.number})
        </button>{" "}
        <b class="best-value">{`${head.metric} = ${digits(best.value, 6)}`}</b>
      </div>
      <div class="best-params">
        {Object.entries(best.params ?? {}).map(([name, value]) => (
          <span key={name} class="param">
            <span class="soft">{`${name} = `}</span>
            <b>{typeof value === "number" ? digits(value, 6) : brief(value)}</b>
          </span>
        ))}
      </div>
      <div class="soft best-compared">{compared(head, ranking)}</div>
    </div>
  );
}

function compared(head: StudyHead, ranking: Ranking): string {
  const [best, second] = ranking.ranked;
  const parts = ["the only trial so far that ran to its end"];
  if (second)
    parts.splice(
      0,
      1,
      `of ${grouped(ranking.ranked.length)} trials that ran to their end`,
      `the next best is ${digits(second.value, 6)} (trial ${second.number})`,
      `the median is ${digits(ranking.median ?? 0, 6)}`,
    );
  if (head.goal !== null && best) {
    const reached = head.maximize ? best.value >= head.goal : best.value <= head.goal;
    parts.push(`goal ${digits(head.goal, 6)} ${reached ? "reached" : "not reached"}`);
  }
  return parts.join("; ");
}
