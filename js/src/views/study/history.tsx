import { useMemo } from "preact/hooks";
import { digits, many } from "../../kit/words.ts";
import type { StudyTrial } from "../../protocol.ts";
import { Canvas, type Drawing } from "./canvas.tsx";
import { crosses, diamonds, dots, lines, type Pen, type Place, ring } from "./draw.ts";
import { Field, nearest } from "./field.ts";
import { Figure } from "./figure.tsx";
import { isBroken, isMeasured, lastValue, type Ranking } from "./ranking.ts";
import { noteOf, numberScale, type Scale, valueScale } from "./scale.ts";
import { NONE, type StudyStore } from "./store.ts";

const HEIGHT = 216;
const MANY = 2000;

/** Each trial's value in the order in which they began, and the best so far. */
export function History({ store }: { store: StudyStore }) {
  const ranking = store.ranking.value;
  const chosen = store.chosen.value;
  const head = store.head.value;
  const [metric, goal, maximize] = [head?.metric ?? "", head?.goal ?? null, head?.maximize ?? false];
  const scale = useMemo(() => scaleOf(ranking, goal, maximize), [ranking, goal, maximize]);
  const drawing = useMemo(
    () => (width: number) => new HistoryDrawing(ranking, chosen, { metric, goal, scale }, width),
    [ranking, chosen, metric, goal, scale],
  );
  const keys = [
    { sign: "●", colour: "blue", words: "value" },
    { sign: "━", colour: "green", words: "best so far" },
    ...(ranking.counts.has("EARLY_STOPPED") ? [{ sign: "◇", colour: "amber", words: "early stopped" }] : []),
    ...(ranking.all.some(isBroken) ? [{ sign: "✗", colour: "red", words: "failed" }] : []),
    ...(goal === null ? [] : [{ sign: "┅", colour: "kfnb-soft", words: "goal" }]),
  ];
  return (
    <Figure title="Optimization history" keys={keys} note={noteOf(scale)}>
      <Canvas label={label(ranking, metric)} height={HEIGHT} store={store} drawing={drawing} />
    </Figure>
  );
}

function label(ranking: Ranking, metric: string): string {
  const best = ranking.best;
  if (!best) return "No trial has a value yet";
  const records = many(ranking.records.length, "time");
  return `${metric} of ${many(ranking.ranked.length, "trial")}; the best so far improved ${records}, to ${digits(best.value, 6)} in trial ${best.number}`;
}

/** A scale for what is shown, and the goal. */
function scaleOf(ranking: Ranking, goal: number | null, maximize: boolean): Scale {
  const values = ranking.ranked.map(({ value }) => value); // nearly sorted is quickly sorted
  for (const trial of ranking.all) {
    const value = trial.state === "EARLY_STOPPED" ? lastValue(trial) : null;
    if (value !== null) values.push(value);
  }
  return valueScale(goal === null ? values : [...values, goal], maximize);
}

interface Aim {
  metric: string;
  goal: number | null;
  scale: Scale;
}

class HistoryDrawing implements Drawing {
  readonly #field: Field;
  readonly #places: { place: Place; of: number }[] = [];

  constructor(
    readonly ranking: Ranking,
    readonly chosen: ReadonlySet<number> | null,
    readonly aim: Aim,
    width: number,
  ) {
    const last = ranking.all.reduce((most, { number }) => Math.max(most, number), 1);
    this.#field = new Field(numberScale(0, last), aim.scale, { x: "trial", y: aim.metric }, width, HEIGHT);
    for (const trial of ranking.all) {
      const place = this.#place(trial);
      if (place) this.#places.push({ place, of: trial.number });
    }
  }

  draw(pen: Pen): void {
    this.#field.frame(pen);
    const groups = { value: [[], []], stopped: [[], []], broken: [[], []] } as Record<
      string,
      [Place[], Place[]]
    >;
    for (const trial of this.ranking.all) {
      const place = this.#place(trial);
      if (!place) continue;
      const faint = this.chosen !== null && !this.chosen.has(trial.number);
      const group = isBroken(trial) ? "broken" : isMeasured(trial) ? "value" : "stopped";
      groups[group]?.[faint ? 0 : 1].push(place);
    }
    const { blue, amber, red, grey } = pen.colours;
    // of very many, it shows where most are
    const solid = this.ranking.all.length > MANY ? 0.3 : 1;
    for (const [index, opacity] of [0.15, 1].entries()) {
      const at = index as 0 | 1;
      dots(pen, groups.value?.[at] ?? [], at ? blue : grey, at ? solid : opacity);
      diamonds(pen, groups.stopped?.[at] ?? [], amber, opacity);
      crosses(pen, groups.broken?.[at] ?? [], red, opacity);
    }
    this.#best(pen);
  }

  mark(pen: Pen, number: number): void {
    const found = this.#places.find(({ of }) => of === number);
    if (found) ring(pen, found.place, pen.colours.ink);
  }

  find(x: number, y: number): number {
    return nearest(this.#places, x, y, NONE);
  }

  #best(pen: Pen): void {
    const { colours } = pen;
    const { goal } = this.aim;
    if (goal !== null) {
      pen.ctx.setLineDash([5, 4]);
      const y = this.#field.y.place(goal);
      lines(pen, [[this.#field.at(0, y), this.#field.at(1, y)]], {
        colour: colours.soft,
        opacity: 1,
        width: 1,
      });
      pen.ctx.setLineDash([]);
    }
    const line: Place[] = [];
    for (const record of this.ranking.records) {
      const place = this.#place(record);
      if (!place) continue;
      const before = line.at(-1);
      if (before) line.push([place[0], before[1]]);
      line.push(place);
    }
    const end = line.at(-1);
    if (!end) return;
    line.push([this.#field.at(1, 0)[0], end[1]]);
    lines(pen, [line], { colour: colours.green, opacity: 1, width: 2 });
    ring(pen, end, colours.green);
  }

  #place(trial: StudyTrial): Place | null {
    const x = this.#field.x.place(trial.number);
    if (isBroken(trial)) {
      const [left, bottom] = this.#field.at(x, 0);
      return [left, bottom - 5];
    }
    const value = isShown(trial) ? lastValue(trial) : null;
    return value === null ? null : this.#field.at(x, this.#field.y.place(value));
  }
}

function isShown(trial: StudyTrial): boolean {
  return isMeasured(trial) || trial.state === "EARLY_STOPPED";
}
