import { useMemo } from "preact/hooks";
import { useNow } from "../../kit/clock.ts";
import { Sign } from "../../kit/sign.tsx";
import { isOver, STATES, styleOf } from "../../kit/states.ts";
import { type Column, sorted } from "../../kit/table/columns.ts";
import { Table } from "../../kit/table/table.tsx";
import { duration, joined, moment } from "../../kit/words.ts";
import type { RunTask } from "../../protocol.ts";
import type { RunStore } from "./store.ts";
import { rowsOf } from "./timeline/bars.ts";

/** A run's tasks as a plain table. */
export function TasksTable({ store }: { store: RunStore }) {
  const fold = store.fold.value;
  const changed = store.changed.value;
  const labels = store.labels.value;
  const head = store.head.value;
  const now = useNow(head !== null && !isOver(head.state), store.until.value);
  const order = store.view.order.value;
  // a change stands for the tasks, a label for its words
  const columns = useMemo(() => columnsOf(store, now), [store, labels, Math.floor(now)]);
  const rows = useMemo(() => {
    const tasks = fold ? rowsOf(fold) : [];
    const column = columns.find(({ key }) => key === order?.column);
    return column && order ? sorted(tasks, column, order.down) : tasks;
    // a change stands for the tasks
  }, [fold, changed, columns, order]);
  return (
    <Table
      label="Tasks"
      columns={columns}
      rows={rows}
      id={(task) => task.id}
      order={order}
      sort={(next) => {
        store.view.order.value = next;
      }}
      chosen={store.view.task.value}
    />
  );
}

function columnsOf(store: RunStore, now: number): Column<RunTask>[] {
  const seconds = (task: RunTask) => {
    const began = task.began[0];
    if (began === undefined) return null;
    return task.finished === null && isOver(task.state) ? null : Math.max(0, (task.finished ?? now) - began);
  };
  const label = (task: RunTask) => joined(task.title, task.turn.length > 0 && store.label(task));
  const show = (task: RunTask) => store.view.show(task.path.join("/"), task.id);
  return [
    {
      key: "task",
      title: "Task",
      text: label,
      cell: (task) => (
        <button type="button" class="link" onClick={() => show(task)}>
          {label(task)}
        </button>
      ),
    },
    {
      key: "state",
      title: "State",
      text: (task) => styleOf(task.state).word,
      value: (task) => STATES.indexOf(task.state),
      cell: (task) => (
        <span>
          <Sign state={task.state} /> {styleOf(task.state).word}
        </span>
      ),
    },
    { key: "time", title: "Time", number: true, text: (task) => duration(seconds(task)), value: seconds },
    {
      key: "began",
      title: "Began",
      text: (task) => moment(task.began[0] ?? null),
      value: (task) => task.began[0] ?? null,
    },
    { key: "note", title: "Note", text: note },
  ];
}

function note(task: RunTask): string {
  return joined(
    task.cached && "cached",
    task.attempts > 1 && `${task.attempts} attempts`,
    task.error || task.doing,
  );
}
