import { useNow } from "../clock.ts";
import { isOver, TRIAL_STATES } from "../states.ts";
import type { StudyHead, StudyStore } from "../store/study.ts";
import { Segments } from "../ui/segments.tsx";
import { Tally } from "../ui/tabs.tsx";
import { duration, grouped, many } from "../words.ts";
import type { Standing } from "./standing.ts";

const RECENT = 50;

/** How many trials are done, how they ended, and how much longer it takes. */
export function Progress({ head, store }: { head: StudyHead; store: StudyStore }) {
  const standing = store.standing.value;
  const now = useNow(!isOver(head.state), store.until.value);
  const left = isOver(head.state) ? null : timeLeft(head, standing, now);
  const killed = standing.counts.get("KILLED") ?? 0;
  const most = Math.max((head.most ?? 0) + killed, standing.all.length) || 1;
  const begun = standing.all.length - (standing.counts.get("PENDING") ?? 0);
  return (
    <div class="progress">
      <div class="progress-bar" style={`--share:${(100 * begun) / most}%`}>
        <Segments
          counts={new Map([...standing.counts].filter(([state]) => state !== "PENDING"))}
          order={TRIAL_STATES}
        />
      </div>
      <div class="progress-words">
        <b>{doneOf(head, standing)}</b>
        <Tally counts={standing.counts} order={TRIAL_STATES} />
        <span class="soft">{isOver(head.state) ? head.reason : said(left, head, standing)}</span>
      </div>
    </div>
  );
}

function doneOf(head: StudyHead, standing: Standing): string {
  const { done } = standing;
  if (head.most === null || (isOver(head.state) && done >= head.most)) return many(done, "trial");
  return `${grouped(done)} of ${many(head.most, "trial")}`;
}

function said(left: number | null, head: StudyHead, standing: Standing): string {
  if (head.state === "CANCELING") return "being stopped";
  if (left === null) return standing.all.length ? "time left unknown" : "";
  return `about ${duration(left)} left${head.goal === null ? "" : " at most"}`;
}

/** Seconds until a study is done, as in kfnb/resources/studies/view/progress.py; null where nobody can know. */
export function timeLeft(head: StudyHead, standing: Standing, now: number): number | null {
  const until = head.timeout !== null && head.started !== null ? head.started + head.timeout - now : 0;
  const left = byTrials(head, standing, now);
  const known = left === null ? [] : [Math.max(0, left)];
  // one that goes on after its time was up has all of it again
  if (until > 0) known.push(until);
  return known.length ? Math.min(...known) : null;
}

function byTrials(head: StudyHead, standing: Standing, now: number): number | null {
  const took = standing.all
    .slice(-2 * RECENT)
    .flatMap(({ started, finished }) =>
      typeof started === "number" && typeof finished === "number" ? [finished - started] : [],
    )
    .slice(-RECENT);
  if (head.most === null || !took.length) return null;
  const mean = took.reduce((sum, seconds) => sum + seconds, 0) / took.length;
  const remaining = head.most - standing.done;
  let spent = 0;
  for (const { state, started } of standing.all)
    if (state === "RUNNING" && typeof started === "number")
      spent += Math.min(mean, Math.max(0, now - started));
  return (remaining * mean - spent) / Math.max(1, Math.min(head.parallel, remaining));
}
