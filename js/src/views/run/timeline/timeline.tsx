import { useMemo } from "preact/hooks";
import { useNow } from "../../../kit/clock.ts";
import { RowList } from "../../../kit/rowlist.tsx";
import { Sign, stateStyle } from "../../../kit/sign.tsx";
import { isOver, styleOf } from "../../../kit/states.ts";
import { duration, joined, many } from "../../../kit/words.ts";
import type { RunTask } from "../../../protocol.ts";
import type { RunStore } from "../store.ts";
import { ticks } from "./axis.ts";
import { type Bar, barsOf, readyAt, rowsOf } from "./bars.ts";

const ROW = 26;
const AXIS = 26;
const TICKS = 7;
const LEAST_SPAN = 1;
// how far right a bar may end for words to fit beside it
const ROOMY = 0.78;
// how wide a bar is that words fit in
const WIDE = 0.15;

/** What ran when. */
export function Timeline({ store }: { store: RunStore }) {
  const fold = store.fold.value;
  const head = store.head.value;
  const changed = store.changed.value;
  const moment = useNow(head !== null && !isOver(head.state), store.until.value);
  // a change stands for the tasks
  const tasks = useMemo(() => (fold ? rowsOf(fold) : []), [fold, changed]);
  if (!fold || !head) return null;
  if (!tasks.length) return <p class="soft">No task has appeared yet.</p>;
  const end = head.finished ?? (isOver(head.state) ? latest(tasks, moment) : moment);
  const start = Math.min(head.started ?? end, earliest(tasks, end));
  const span = Math.max(LEAST_SPAN, end - start);
  const task = (index: number) => tasks[index] as RunTask;
  return (
    <RowList
      label="Timeline"
      class="timeline"
      count={tasks.length}
      height={ROW}
      before={AXIS}
      head={<Axis span={span} />}
      chosen={tasks.findIndex((one) => one.id === store.view.task.value)}
      name={(index) => spoken(task(index), start, store)}
      row={(index) => <TaskRow task={task(index)} start={start} span={span} now={end} store={store} />}
      choose={(index) => store.view.show(task(index).path.join("/"), task(index).id)}
    />
  );
}

function Axis({ span }: { span: number }) {
  return (
    <div class="axis" aria-hidden="true">
      <span class="name" />
      <span class="track">
        {ticks(span, TICKS).map(({ at, text }) => (
          <span key={at} class="tick" style={`left:${(100 * at) / span}%`}>
            {text}
          </span>
        ))}
      </span>
    </div>
  );
}

interface RowProps {
  task: RunTask;
  start: number;
  span: number;
  now: number;
  store: RunStore;
}

function TaskRow({ task, start, span, now, store }: RowProps) {
  const fold = store.fold.value;
  const bars = barsOf(task, fold && readyAt(task, fold), now);
  const place = (from: number, to: number) =>
    `left:${(100 * (from - start)) / span}%;width:${(100 * (to - from)) / span}%`;
  return (
    <>
      <span class="name" title={task.path.join(" / ")}>
        <Sign state={task.state} />
        {task.title}
        {task.turn.length > 0 && <span class="soft">{` ${store.label(task)}`}</span>}
      </span>
      <span class="track" style={stateStyle(task.state)} data-cached={task.cached}>
        {bars.map((bar, index) => (
          <span
            key={`${bar.kind}${index}`}
            class="bar-of"
            data-kind={bar.kind}
            style={place(bar.from, bar.to)}
            title={titleOf(bar, task)}
          />
        ))}
        <Note task={task} bars={bars} start={start} span={span} />
      </span>
    </>
  );
}

interface NoteProps {
  task: RunTask;
  bars: readonly Bar[];
  start: number;
  span: number;
}

/** The duration, right of the bar; where there is no room, left of it, or else in it. */
function Note({ task, bars, start, span }: NoteProps) {
  const last = bars.at(-1);
  const first = bars.find((bar) => bar.kind !== "wait") ?? last;
  if (!first || !last) return null;
  const [left, right] = [(first.from - start) / span, (last.to - start) / span];
  const inside = right > ROOMY && right - left > WIDE;
  const side = right <= ROOMY ? `left:${100 * right}%` : `right:${100 * (1 - (inside ? right : left))}%`;
  return (
    <span class="bar-note" data-inside={inside && last.kind === "last"} style={side}>
      {last.kind === "wait" ? task.doing || "waiting" : took(task, first.from, last.to)}
    </span>
  );
}

function took(task: RunTask, from: number, to: number): string {
  return joined(
    task.cached ? "cached" : duration(to - from),
    task.attempts > 1 && many(task.attempts, "attempt"),
  );
}

function titleOf({ kind, from, to }: Bar, task: RunTask): string {
  const seconds = duration(to - from);
  if (kind === "wait") return `waited ${seconds}`;
  if (kind === "attempt") return `${seconds}, then tried again`;
  return task.cached ? "cached" : seconds;
}

function spoken(task: RunTask, start: number, store: RunStore): string {
  const began = task.began[0];
  return joined(
    `${task.title} ${task.turn.length ? store.label(task) : ""}`.trim(),
    styleOf(task.state).word,
    task.cached && "cached",
    began !== undefined && `began after ${duration(began - start)}`,
    began !== undefined && task.finished !== null && `took ${duration(task.finished - began)}`,
    task.attempts > 1 && many(task.attempts, "attempt"),
  );
}

function earliest(tasks: readonly RunTask[], otherwise: number): number {
  return tasks.reduce((least, task) => Math.min(least, task.began[0] ?? least), otherwise);
}

function latest(tasks: readonly RunTask[], otherwise: number): number {
  const last = tasks.reduce((most, task) => Math.max(most, task.finished ?? 0), 0);
  return last || otherwise;
}
