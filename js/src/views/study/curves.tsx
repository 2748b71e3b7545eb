import { useMemo } from "preact/hooks";
import { grouped, many } from "../../kit/words.ts";
import type { StudyTrial } from "../../protocol.ts";
import { Canvas, type Drawing } from "./canvas.tsx";
import { crosses, diamonds, FAINT, lines, type Pen, type Place, ring } from "./draw.ts";
import { Field, nearest } from "./field.ts";
import { Figure } from "./figure.tsx";
import { isBroken, type Ranking } from "./ranking.ts";
import { numberScale, valueScale } from "./scale.ts";
import { NONE, type StudyStore } from "./store.ts";

const HEIGHT = 330;
const MOST_CURVES = 600;
const KEYS = [
  { state: "SUCCEEDED", sign: "━", colour: "green", words: "the best" },
  { state: "RUNNING", sign: "━", colour: "blue", words: "running" },
  { state: "EARLY_STOPPED", sign: "◇", colour: "amber", words: "early stopped" },
  { state: "FAILED", sign: "✗", colour: "red", words: "failed" },
];

/** The intermediate values of the objective, trial by trial. */
export function Curves({ store }: { store: StudyStore }) {
  const ranking = store.ranking.value;
  const chosen = store.chosen.value;
  const [metric, maximize] = [store.head.value?.metric ?? "", store.head.value?.maximize ?? false];
  const all = useMemo(() => ranking.bestFirst().filter((trial) => trial.curve?.length), [ranking]);
  const drawn = useMemo(() => latestAndBest(all, chosen), [all, chosen]);
  const drawing = useMemo(
    () => (width: number) => new CurvesDrawing(ranking, drawn, chosen, { metric, maximize }, width),
    [ranking, drawn, chosen, metric, maximize],
  );
  if (!all.length)
    return <p class="soft">No trial has reported a step yet: kf.report(value, step=…) does.</p>;
  const stopped = all.filter((trial) => trial.state === "EARLY_STOPPED").length;
  return (
    <Figure
      title="Learning curves"
      keys={KEYS.filter(({ state }) => drawn.some((trial) => trial.state === state))}
      note={
        drawn.length < all.length
          ? `${grouped(drawn.length)} of ${grouped(all.length)} curves: the best, and the latest`
          : undefined
      }
    >
      <Canvas
        label={`${metric} step by step in ${many(all.length, "trial")}, ${stopped} of them stopped early`}
        height={HEIGHT}
        store={store}
        drawing={drawing}
      />
    </Figure>
  );
}

function latestAndBest(all: readonly StudyTrial[], chosen: ReadonlySet<number> | null): StudyTrial[] {
  const first = chosen
    ? [...all].sort((one, other) => Number(chosen.has(other.number)) - Number(chosen.has(one.number)))
    : all;
  const best = first.slice(0, MOST_CURVES / 2);
  const rest = first.slice(MOST_CURVES / 2).sort((one, other) => other.number - one.number);
  return [...best, ...rest.slice(0, MOST_CURVES / 2)];
}

interface Aim {
  metric: string;
  maximize: boolean;
}

class CurvesDrawing implements Drawing {
  readonly #field: Field;
  readonly #lines = new Map<number, Place[]>();
  readonly #points: { place: Place; of: number }[] = [];

  constructor(
    readonly ranking: Ranking,
    readonly trials: readonly StudyTrial[],
    readonly chosen: ReadonlySet<number> | null,
    aim: Aim,
    width: number,
  ) {
    const values: number[] = [];
    let [first, last] = [0, 1];
    for (const { curve } of trials)
      for (let at = 0; curve && at < curve.length; at += 2) {
        first = Math.min(first, curve[at] as number);
        last = Math.max(last, curve[at] as number);
        values.push(curve[at + 1] as number);
      }
    const names = { x: "step", y: aim.metric };
    this.#field = new Field(numberScale(first, last), valueScale(values, aim.maximize), names, width, HEIGHT);
    for (const trial of trials) {
      const line = this.#line(trial);
      this.#lines.set(trial.number, line);
      for (const place of line) this.#points.push({ place, of: trial.number });
    }
  }

  draw(pen: Pen): void {
    const { colours } = pen;
    this.#field.frame(pen);
    const groups = {
      faint: [] as Place[][],
      done: [] as Place[][],
      stopped: [] as Place[][],
      running: [] as Place[][],
    };
    const [stops, fails]: [Place[], Place[]] = [[], []];
    for (const trial of this.trials) {
      const line = this.#lines.get(trial.number) ?? [];
      const end = line.at(-1);
      const out = this.chosen !== null && !this.chosen.has(trial.number);
      const stopped = trial.state === "EARLY_STOPPED";
      groups[out ? "faint" : stopped ? "stopped" : trial.state === "RUNNING" ? "running" : "done"].push(line);
      if (end && stopped && !out) stops.push(end);
      if (end && isBroken(trial) && !out) fails.push(end);
    }
    lines(pen, groups.faint, FAINT);
    lines(pen, groups.done, { colour: colours.grey, opacity: 1, width: 0.9 });
    lines(pen, groups.stopped, { colour: colours.amber, opacity: 1, width: 1.1 });
    lines(pen, groups.running, { colour: colours.blue, opacity: 1, width: 1.6 });
    diamonds(pen, stops, colours.amber);
    crosses(pen, fails, colours.red);
    const best = this.#lines.get(this.ranking.best?.number ?? NONE);
    if (best) lines(pen, [best], { colour: colours.green, opacity: 1, width: 2.4 });
  }

  mark(pen: Pen, number: number): void {
    const line = this.#lines.get(number);
    const end = line?.at(-1);
    if (!line || !end) return;
    lines(pen, [line], { colour: pen.colours.ink, opacity: 1, width: 2.2 });
    ring(pen, end, pen.colours.ink, 4);
  }

  find(x: number, y: number): number {
    return nearest(this.#points, x, y, NONE, 16);
  }

  #line({ curve }: StudyTrial): Place[] {
    const line: Place[] = [];
    for (let at = 0; curve && at + 1 < curve.length; at += 2) {
      const [step, value] = [curve[at] as number, curve[at + 1] as number];
      line.push(this.#field.at(this.#field.x.place(step), this.#field.y.place(value)));
    }
    return line;
  }
}
