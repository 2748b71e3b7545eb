import type { Scalar, StudyHead, StudyTrial } from "../../protocol.ts";
import { dimensionScale, type Scale, valueScale } from "./scale.ts";
import { isMeasured, type Standing } from "./standing.ts";

/** The key of the objective's axis: no parameter has an empty name. */
export const OBJECTIVE = "";

/** An axis of a study's trials: a parameter, or the objective. */
export interface Axis {
  key: string;
  name: string;
  scale: Scale;
}

/** The axes of a study: its parameters, the objective at the end. */
export function axesOf(head: StudyHead, standing: Standing): Axis[] {
  const values = standing.ranked.map((trial) => trial.value);
  return [
    ...head.space.map((dimension) => ({
      key: dimension.name,
      name: dimension.name,
      scale: dimensionScale(dimension),
    })),
    { key: OBJECTIVE, name: head.metric, scale: valueScale(values, head.maximize) },
  ];
}

/** What a trial has on an axis. */
export function valueOn(axis: Axis, trial: StudyTrial): Scalar | undefined {
  if (axis.key === OBJECTIVE) return isMeasured(trial) ? trial.value : undefined;
  return trial.params?.[axis.key];
}

/** Where a trial stands on an axis, from 0 to 1; null where it has nothing there. */
export function placeOn(axis: Axis, trial: StudyTrial): number | null {
  const number = axis.scale.number(valueOn(axis, trial));
  return number === null ? null : axis.scale.place(number);
}
