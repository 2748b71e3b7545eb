import { Elapsed } from "../../kit/elapsed.tsx";
import { RowList } from "../../kit/rowlist.tsx";
import { Sign } from "../../kit/sign.tsx";
import { styleOf, tally } from "../../kit/states.ts";
import type { RunTask } from "../../protocol.ts";
import type { Stack } from "./stack.ts";
import type { RunStore } from "./store.ts";

const ROW = 26;

/** A stack's tasks: those that failed first, then those that run, then the others, each by their iterations. */
export function inTurn(stack: Stack): RunTask[] {
  const rank = (task: RunTask) => ({ FAILED: 0, RUNNING: 1 })[task.state as string] ?? 2;
  return [...stack.sorted].sort((one, other) => rank(one) - rank(other));
}

/** All iterations of a task, to choose one. */
export function Iterations({ stack, chosen, store }: { stack: Stack; chosen: string; store: RunStore }) {
  const tasks = inTurn(stack);
  const task = (index: number) => tasks[index] as RunTask;
  return (
    <div class="iterations">
      <div class="soft iterations-head">{`${tasks.length} iterations: ${tally(stack.counts)}`}</div>
      <RowList
        label="Iterations"
        class="iterations-list"
        count={tasks.length}
        height={ROW}
        chosen={tasks.findIndex((one) => one.id === chosen)}
        eager
        name={(index) => `${store.label(task(index))}, ${styleOf(task(index).state).word}`}
        row={(index) => <Iteration task={task(index)} label={store.label(task(index))} />}
        choose={(index) => {
          store.view.task.value = task(index).id;
        }}
      />
    </div>
  );
}

function Iteration({ task, label }: { task: RunTask; label: string }) {
  return (
    <>
      <Sign state={task.state} />
      <span class="iteration-label">{label}</span>
      <span class="soft">
        {styleOf(task.state).word}
        {task.cached ? " · cached" : <Elapsed began={task.began[0]} finished={task.finished} before=" · " />}
      </span>
    </>
  );
}
