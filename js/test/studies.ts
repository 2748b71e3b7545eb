/** Studies to test with. */
import type { ChangeMessage, StudyDimension, StudyHead, StudyTrial, WholeMessage } from "../src/protocol.ts";
import { START } from "./samples.ts";

/** A study with its trials. */
export type Study = StudyHead & { id: string; trials: StudyTrial[] };

/** The message that tells all of a study. */
export function wholeStudy({ id, trials, ...head }: Study, seq = 0): WholeMessage {
  return {
    kind: "whole",
    type: "study",
    id,
    seq,
    now: Date.now() / 1000,
    head: { ...head },
    parts: trials.map((one) => ({ ...one })),
  };
}

/** The message that tells what is new in a study. */
export function changeStudy(
  id: string,
  seq: number,
  head: Partial<StudyHead> = {},
  trials: (Partial<StudyTrial> & { number: number })[] = [],
): ChangeMessage {
  return { kind: "change", type: "study", id, seq, now: Date.now() / 1000, head, parts: trials };
}

export const STUDY = "local/bowl";

const BLANK: Omit<StudyDimension, "name" | "kind"> = { low: 0, high: 0, log: false, choices: [] };
export const LR: StudyDimension = { ...BLANK, name: "lr", kind: "float", low: 1e-4, high: 1e-1, log: true };
export const ACT: StudyDimension = { ...BLANK, name: "act", kind: "choice", choices: ["relu", "tanh", true] };

export function trial(number: number, value: number | null, more: Partial<StudyTrial> = {}): StudyTrial {
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

export function failed(number: number, error: string): StudyTrial {
  return trial(number, null, { state: "FAILED", error, finished: START + number + 1 });
}

export function study(trials: StudyTrial[], more: Partial<Study> = {}): Study {
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
