/** Studies to test with. */
import type { Dimension, Study, Trial } from "../src/protocol.ts";
import { START } from "./samples.ts";

export const STUDY = "study/local/bowl";

const BLANK: Omit<Dimension, "name" | "kind"> = { low: 0, high: 0, log: false, choices: [] };
export const LR: Dimension = { ...BLANK, name: "lr", kind: "float", low: 1e-4, high: 1e-1, log: true };
export const ACT: Dimension = { ...BLANK, name: "act", kind: "choice", choices: ["relu", "tanh", true] };

export function trial(number: number, value: number | null, more: Partial<Trial> = {}): Trial {
  return {
    number,
    state: value === null ? "RUNNING" : "SUCCEEDED",
    params: { lr: 10 ** -(1 + (number % 4)), act: number % 2 ? "tanh" : "relu" },
    value,
    started: START + number,
    finished: value === null ? null : START + number + 10,
    ...more,
  };
}

export function failed(number: number, error: string): Trial {
  return trial(number, null, { state: "FAILED", error, finished: START + number + 1 });
}

export function study(trials: Trial[], more: Partial<Study> = {}): Study {
  return {
    id: STUDY,
    name: "bowl",
    backend: "local",
    subject: "train",
    metric: "loss",
    maximize: false,
    goal: null,
    state: "RUNNING",
    algorithm: "tpe",
    stopping: "",
    most: 10,
    parallel: 2,
    timeout: null,
    created: START,
    started: START,
    finished: null,
    importances: [
      ["lr", 0.8],
      ["act", 0.2],
    ],
    space: [LR, ACT],
    reason: "",
    error: "",
    notes: [],
    trials,
    ...more,
  };
}
