/** Runs to test with. */

import type {
  ChangeMessage,
  Pair,
  RunHead,
  RunRow,
  RunTask,
  StateName,
  WholeMessage,
} from "../src/protocol.ts";
import { Fold } from "../src/views/run/fold.ts";

/** A run with its tasks. */
export type Run = RunHead & { id: string; tasks: RunTask[] };

/** The message that tells all of a run. */
export function whole({ id, tasks, ...head }: Run, seq = 0): WholeMessage {
  return {
    kind: "whole",
    type: "run",
    id,
    seq,
    now: Date.now() / 1000,
    head: { ...head },
    parts: tasks.map((one) => ({ ...one })),
  };
}

/** What is known of a run that was told. */
export function folded({ tasks, ...head }: Run): Fold {
  return new Fold(head, tasks);
}

/** The message that tells what is new in a run. */
export function change(
  id: string,
  seq: number,
  head: Partial<RunHead> = {},
  tasks: (Partial<RunTask> & { id: string })[] = [],
): ChangeMessage {
  return { kind: "change", type: "run", id, seq, now: Date.now() / 1000, head, parts: tasks };
}

/** The message that tells a table of runs. */
export function wholeRuns(id: string, rows: RunRow[]): WholeMessage {
  return {
    kind: "whole",
    type: "runs",
    id,
    seq: 0,
    now: Date.now() / 1000,
    head: {},
    parts: rows.map((row) => ({ ...row })),
  };
}

export const START = 1_795_000_000;

export function task(id: string, more: Partial<RunTask> = {}): RunTask {
  const path = more.path ?? id.split("/").filter((part) => !/^\d+$/.test(part));
  const name = path[path.length - 1] ?? id;
  return {
    id,
    name,
    path,
    turn: id
      .split("/")
      .filter((part) => /^\d+$/.test(part))
      .map(Number),
    group: false,
    title: name,
    branch: false,
    decided: "",
    state: "PENDING",
    needs: {},
    began: [],
    finished: null,
    cached: false,
    attempts: 0,
    known: 0,
    doing: "",
    error: "",
    place: "",
    processes: 0,
    ranks: "",
    ...more,
  };
}

export function ran(id: string, from: number, seconds: number, more: Partial<RunTask> = {}): RunTask {
  const began = [START + from];
  return task(id, { state: "SUCCEEDED", began, finished: START + from + seconds, attempts: 1, ...more });
}

export function group(id: string, title: string, more: Partial<RunTask> = {}): RunTask {
  return ran(id, 5, 60, { group: true, title, ...more });
}

export function run(tasks: RunTask[], more: Partial<Run> = {}): Run {
  return {
    id: "261124-074750-787i",
    name: "",
    pipeline: "churn_sweep",
    backend: "local",
    experiment: "",
    state: "RUNNING",
    created: START,
    started: START,
    finished: null,
    arguments: [
      ["rows", "300"],
      ["seed", "7"],
    ],
    result: [],
    metrics: [],
    error: "",
    notes: [],
    url: "",
    doing: "",
    command: "",
    tasks,
    ...more,
  };
}

/** Loops, branches, an exit handler, a failure, a cache hit, something that waits. */
export function sweep(more: Partial<Run> = {}): Run {
  const iterations = [0.1, 1, 10].flatMap((_, turn) => [
    ran(
      `for-loop-1/${turn}/train`,
      6 + turn,
      12 + 3 * turn,
      turn === 2
        ? {
            state: "FAILED",
            attempts: 2,
            began: [START + 8, START + 14],
            error: "ValueError: Input X contains NaN.",
            place: "cell train, line 3",
          }
        : {},
    ),
    turn < 2
      ? ran(`for-loop-1/${turn}/evaluate`, 20 + turn, 4, { needs: { train: ["model"] } })
      : task(`for-loop-1/${turn}/evaluate`, { state: "SKIPPED", needs: { train: ["model"] } }),
    turn < 1
      ? group(`for-loop-1/${turn}/condition-2`, "If accuracy > 0.9", { needs: { evaluate: ["accuracy"] } })
      : group(`for-loop-1/${turn}/condition-2`, "If accuracy > 0.9", {
          state: "SKIPPED",
          began: [],
          finished: null,
          needs: { evaluate: ["accuracy"] },
        }),
    turn < 1
      ? task(`for-loop-1/${turn}/condition-2/deploy`, { state: "RUNNING", began: [START + 30], attempts: 1 })
      : task(`for-loop-1/${turn}/condition-2/deploy`, { state: "SKIPPED" }),
  ]);
  return run(
    [
      ran("load", 0, 2, { cached: true }),
      ran("split", 2, 3, { needs: { load: ["df"] } }),
      group("for-loop-1", "loop", { state: "FAILED", needs: { split: ["train_rows", "choice_rows"] } }),
      ...iterations,
      task("report", {
        needs: { "for-loop-1": ["accuracy"], load: ["df"] },
        doing: "pulling image python:3.12-slim",
      }),
      task("notify", { needs: { report: [] } }),
    ],
    more,
  );
}

/** Many tasks side by side, in chains of ten. */
export function chains(count = 1000): Run {
  const tasks = Array.from({ length: count }, (_, index) => {
    const needs = index % 10 ? { [`step-${index - 1}`]: ["rows"] } : {};
    return ran(`step-${index}`, index / 10, 3 + (index % 7), { needs, state: stateAt(index) });
  });
  return run(tasks, { pipeline: "wide" });
}

/** One loop of many iterations. */
export function longLoop(iterations = 500): Run {
  const inside = Array.from({ length: iterations }, (_, turn) => [
    ran(`for-loop-1/${turn}/train`, turn / 4, 5, { state: stateAt(turn) }),
    ran(`for-loop-1/${turn}/evaluate`, turn / 4 + 5, 2, {
      needs: { train: ["model"] },
      state: stateAt(turn),
    }),
  ]).flat();
  return run([group("for-loop-1", "loop", { state: "RUNNING" }), ...inside], { pipeline: "sweep" });
}

/** A thousand tasks of which each needs one of the others: no chains, one piece. */
export function woven(count = 1000): Run {
  let seed = 7;
  const next = (below: number) => {
    seed = (seed * 16807) % 2147483647;
    return seed % below;
  };
  const tasks = Array.from({ length: count }, (_, index) => {
    const needs = index
      ? { [`step-${next(index)}`]: ["a"], [`step-${Math.max(0, index - 1 - next(30))}`]: ["b"] }
      : {};
    return ran(`step-${index}`, index / 10, 3, { needs, state: stateAt(index) });
  });
  return run(tasks, { pipeline: "woven" });
}

function stateAt(index: number): StateName {
  if (index % 97 === 13) return "FAILED";
  return index % 31 === 7 ? "RUNNING" : "SUCCEEDED";
}

export function rows(count: number): RunRow[] {
  const states: StateName[] = ["SUCCEEDED", "FAILED", "RUNNING", "CANCELED"];
  return Array.from({ length: count }, (_, index) => ({
    id: `261124-${String(index).padStart(6, "0")}`,
    pipeline: index % 3 ? "churn" : "churn_sweep",
    name: index % 5 ? "" : `try ${index}`,
    experiment: "",
    schedule: index % 2 ? "" : "261124-060000-000n",
    state: states[index % 7] ?? "SUCCEEDED",
    created: START - index * 3600,
    seconds: index % 7 === 2 ? null : (index * 37) % 400,
    arguments: [
      ["C", String((index % 13) / 4)],
      ["rows", String(100 * (index % 9))],
    ] as Pair[],
    metrics: (index % 7 === 1 ? [] : [["accuracy", (0.9 + (index % 83) / 1000).toFixed(4)]]) as Pair[],
    url: index % 4 ? "" : "https://kubeflow.example/runs/1",
    archived: false,
  }));
}

/** Log lines as the kernel sends them. */
export function logBytes(
  from: number,
  count: number,
  line = (number: number) => `step ${number} loss ${(1 / (number + 1)).toFixed(6)}`,
): DataView {
  const text = Array.from({ length: count }, (_, index) => `${line(from + index)}\n`).join("");
  return new DataView(new TextEncoder().encode(text).buffer);
}
