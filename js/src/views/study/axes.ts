import type { Scalar, StudyHead, StudyTrial } from "../../protocol.ts";
import { isMeasured, type Ranking } from "./ranking.ts";
import { dimensionScale, type Scale, valueScale } from "./scale.ts";

/** The key of the objective's axis: no parameter has an empty name. */
export const OBJECTIVE = "";

/** An axis of a study's trials: a parameter, or the objective. */
export interface Axis {
  key: string;
  name: string;
  scale: Scale;
}

/** The axes of a study: its parameters, the objective at the end. */
export function axesOf(head: StudyHead, ranking: Ranking): Axis[] {
  const values = ranking.ranked.map((trial) => trial.value);
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

/** The place of a trial on an axis, from 0 to 1; null where it has none. */
export function placeOn(axis: Axis, trial: StudyTrial): number | null {
  const number = axis.scale.number(valueOn(axis, trial));
  return number === null ? null : axis.scale.place(number);
}
