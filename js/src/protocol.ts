/** What the kernel and the page say to each other. README.md tells it in words; kfnb/resources/runs/wire.py makes it. */

/** How a run, a task or a study stands, and (the last three are theirs alone) a trial. */
export type State =
  | "PENDING"
  | "RUNNING"
  | "SUCCEEDED"
  | "FAILED"
  | "SKIPPED"
  | "CANCELING"
  | "CANCELED"
  | "PAUSED"
  | "EARLY_STOPPED"
  | "METRICS_UNAVAILABLE"
  | "KILLED";

/** A name and its value, in words. */
export type Pair = [name: string, value: string];

/** A task or a group of one run. Times are seconds since the epoch. */
export interface Task {
  id: string;
  name: string;
  /** The names from the root down to its own, without the numbers of turns: what all turns of a loop share. */
  path: string[];
  /** Which turn of each loop around it this is, the outermost first. */
  turn: number[];
  group: boolean;
  /** A group in words: loop, exit handler; a branch's condition; a task's name. */
  title: string;
  /** Whether it runs under a condition, and what that came to: `0.93 > 0.9: taken`; empty as long as it is not known. */
  branch: boolean;
  decided: string;
  state: State;
  /** The siblings that it waits for, each with the names of what it takes from there. */
  needs: Record<string, string[]>;
  /** When each attempt began. */
  began: number[];
  finished: number | null;
  cached: boolean;
  attempts: number;
  /** How many of its inputs and outputs are known, which its details tell. */
  known: number;
  /** What it waits for, or is being done for it, in words; empty most of the time. */
  doing: string;
  /** Why it failed, in one line, and the cell and line where. */
  error: string;
  place: string;
}

export interface Run {
  id: string;
  name: string;
  pipeline: string;
  backend: string;
  experiment: string;
  state: State;
  created: number | null;
  started: number | null;
  finished: number | null;
  arguments: Pair[];
  result: Pair[];
  /** What its tasks have measured, once it is finished. */
  metrics: Pair[];
  error: string;
  notes: string[];
  /** Where Kubeflow's own pages show it; empty where there are none. */
  url: string;
  /** What is being done for it before any of its tasks begins; empty most of the time. */
  doing: string;
  /** The line that starts it again; empty where there is none. */
  command: string;
  tasks: Task[];
}

/** A row of the table of runs. */
export interface Row {
  id: string;
  pipeline: string;
  name: string;
  experiment: string;
  state: State;
  created: number | null;
  seconds: number | null;
  arguments: Pair[];
  metrics: Pair[];
  url: string;
  /** Whether it was put away. */
  archived: boolean;
}

export type Value = number | string | boolean | null;

/** A parameter of a search space. */
export interface Dimension {
  name: string;
  kind: "float" | "int" | "choice";
  low: number;
  high: number;
  log: boolean;
  choices: Value[];
}

/** A trial; what is left out, or null, it does not have. */
export interface Trial {
  number: number;
  state: State;
  params?: Record<string, Value> | null;
  /** The objective's. */
  value?: number | null;
  /** The further ones. */
  metrics?: Record<string, number | null> | null;
  started?: number | null;
  finished?: number | null;
  /** The objective on its way: step, value, step, value ... */
  curve?: number[] | null;
  error?: string | null;
  place?: string | null;
}

export interface Study {
  id: string;
  name: string;
  backend: string;
  /** The cell, component or pipeline that is tuned. */
  subject: string;
  /** What the objective is called. */
  metric: string;
  maximize: boolean;
  goal: number | null;
  state: State;
  algorithm: string;
  /** How trials are stopped early; empty where they are not. */
  stopping: string;
  /** How many trials there may be, how many at once, and for how many seconds. */
  most: number | null;
  parallel: number;
  timeout: number | null;
  created: number | null;
  started: number | null;
  finished: number | null;
  /** How much of the objective's variation each parameter explains, from 0 to 1; empty where that is not known. */
  importances: [name: string, share: number][];
  space: Dimension[];
  /** Why it ended. */
  reason: string;
  error: string;
  notes: string[];
  trials: Trial[];
}

export type FromKernel =
  | { kind: "run"; seq: number; now?: number; run: Run }
  | {
      kind: "change";
      id: string;
      seq: number;
      now?: number;
      run?: Partial<Omit<Run, "id" | "tasks">>;
      tasks?: (Partial<Task> & { id: string })[];
    }
  | { kind: "study"; seq: number; now?: number; study: Study }
  | {
      kind: "trials";
      id: string;
      seq: number;
      now?: number;
      study?: Partial<Omit<Study, "id" | "trials">>;
      trials?: (Partial<Trial> & { number: number })[];
    }
  | { kind: "gone"; id: string; text: string }
  | { kind: "detail"; id: string; task: string; html: string; error: string }
  | {
      kind: "piece";
      id: string;
      task: string;
      artifact: string;
      name: string;
      size: number;
      first: number;
      error: string;
    }
  | { kind: "labels"; id: string; tasks: Record<string, string>; groups: Record<string, string> }
  | {
      kind: "log";
      id: string;
      task: string;
      first: number;
      total: number;
      ended: boolean;
      times?: [line: number, at: number][];
    }
  | { kind: "file"; id: string; task: string; name: string; last: boolean }
  | { kind: "said"; id: string; text: string; ok: boolean }
  | { kind: "runs"; view: string; rows: Row[] };

export type ToKernel =
  | { do: "watch" | "seen" | "leave" | "labels" | "stop" | "retry"; id: string }
  | { do: "detail"; id: string; task: string }
  | { do: "fetch"; id: string; task: string; artifact: string; first: number }
  | { do: "log"; id: string; task: string; on: boolean }
  | { do: "save"; id: string; task: string }
  | { do: "runs"; view: string };
