import { useNow } from "../../kit/clock.ts";
import { Segments } from "../../kit/segments.tsx";
import { isOver, TRIAL_STATES } from "../../kit/states.ts";
import { Tally } from "../../kit/tabs.tsx";
import { duration, grouped, many } from "../../kit/words.ts";
import type { StudyHead } from "../../protocol.ts";
import type { Ranking } from "./ranking.ts";
import type { StudyStore } from "./store.ts";

const RECENT = 50;

/** How many trials are done, how they ended, and how much longer it takes. */
export function Progress({ head, store }: { head: StudyHead; store: StudyStore }) {
  const ranking = store.ranking.value;
  const now = useNow(!isOver(head.state), store.until.value);
  const left = isOver(head.state) ? null : timeLeft(head, ranking, now);
  const killed = ranking.counts.get("KILLED") ?? 0;
  const most = Math.max((head.most ?? 0) + killed, ranking.all.length) || 1;
  const begun = ranking.all.length - (ranking.counts.get("PENDING") ?? 0);
  return (
    <div class="progress">
      <div class="progress-bar" style={`--share:${(100 * begun) / most}%`}>
        <Segments
          counts={new Map([...ranking.counts].filter(([state]) => state !== "PENDING"))}
          order={TRIAL_STATES}
        />
      </div>
      <div class="progress-words">
        <b>{doneOf(head, ranking)}</b>
        <Tally counts={ranking.counts} order={TRIAL_STATES} />
        <span class="soft">{isOver(head.state) ? head.reason : remainingText(left, head, ranking)}</span>
      </div>
    </div>
  );
}

function doneOf(head: StudyHead, ranking: Ranking): string {
  const { done } = ranking;
  if (head.most === null || (isOver(head.state) && done >= head.most)) return many(done, "trial");
  return `${grouped(done)} of ${many(head.most, "trial")}`;
}

function remainingText(left: number | null, head: StudyHead, ranking: Ranking): string {
  if (head.state === "CANCELING") return "being stopped";
  if (left === null) return ranking.all.length ? "time left unknown" : "";
  return `about ${duration(left)} left${head.goal === null ? "" : " at most"}`;
}

/** Seconds until a study is done, as in kfnb/resources/studies/view/progress.py; null where that is not known. */
export function timeLeft(head: StudyHead, ranking: Ranking, now: number): number | null {
  const until = head.timeout !== null && head.started !== null ? head.started + head.timeout - now : 0;
  const left = byTrials(head, ranking, now);
  const known = left === null ? [] : [Math.max(0, left)];
  // a study that is resumed after its time was up has all of it again
  if (until > 0) known.push(until);
  return known.length ? Math.min(...known) : null;
}

function byTrials(head: StudyHead, ranking: Ranking, now: number): number | null {
  const took = ranking.all
    .slice(-2 * RECENT)
    .flatMap(({ started, finished }) =>
      typeof started === "number" && typeof finished === "number" ? [finished - started] : [],
    )
    .slice(-RECENT);
  if (head.most === null || !took.length) return null;
  const mean = took.reduce((sum, seconds) => sum + seconds, 0) / took.length;
  const remaining = head.most - ranking.done;
  let spent = 0;
  for (const { state, started } of ranking.all)
    if (state === "RUNNING" && typeof started === "number")
      spent += Math.min(mean, Math.max(0, now - started));
  return (remaining * mean - spent) / Math.max(1, Math.min(head.parallel, remaining));
}
