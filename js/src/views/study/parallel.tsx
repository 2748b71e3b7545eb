import { useMemo } from "preact/hooks";
import { cut, grouped, joined, many } from "../../kit/words.ts";
import type { StudyTrial } from "../../protocol.ts";
import { type Axis, placeOn } from "./axes.ts";
import { Brush } from "./brushes.tsx";
import { Canvas, type Drawing } from "./canvas.tsx";
import { FAINT, lines, type Pen, type Place, RAMP, words } from "./draw.ts";
import { Figure } from "./figure.tsx";
import type { Measured, Ranking } from "./ranking.ts";
import { noteOf } from "./scale.ts";
import { NONE, type StudyStore } from "./store.ts";

/** More lines would not be visible, and take long. */
const MOST_LINES = 600;
const HEIGHT = 256;
export const TOP = 34;
export const BOTTOM = 14;
const LEFT = 46;
const RIGHT = 58;
const LEAST = 92;
const NEAR = 9;

/** Each trial as a line over the axes of its parameters and its value. On each axis, a range can be chosen. */
export function Parallel({ store }: { store: StudyStore }) {
  const ranking = store.ranking.value;
  const axes = store.axes.value;
  const value = axes.at(-1);
  const chosen = store.chosen.value;
  const drawing = useMemo(
    () => (width: number) => new ParallelDrawing(ranking, axes, chosen, width),
    [ranking, axes, chosen],
  );
  const count = ranking.ranked.length;
  const thinned =
    count > MOST_LINES ? `${grouped(MOST_LINES)} of ${many(count, "trial")}, the best among them` : "";
  return (
    <Figure
      title="Parallel coordinates"
      about="Drag along an axis to choose trials; click it to choose all again."
      keys={[
        { sign: "━", colour: "green", words: "the best" },
        { sign: "━", colour: "blue", words: "better" },
        { sign: "━", colour: "grey", words: "worse" },
      ]}
      note={joined(thinned, value ? noteOf(value.scale) : "")}
    >
      <Canvas
        label={`${many(count, "trial")} as lines over ${axes.map((axis) => axis.name).join(", ")}`}
        height={HEIGHT}
        store={store}
        drawing={drawing}
        least={LEFT + RIGHT + LEAST * (axes.length - 1)}
      >
        {(width) =>
          axes.map((axis, index) => (
            <Brush
              key={axis.key}
              axis={axis}
              x={placeOf(index, axes.length, width)}
              height={HEIGHT}
              store={store}
            />
          ))
        }
      </Canvas>
    </Figure>
  );
}

/** How far right an axis is. */
function placeOf(index: number, count: number, width: number): number {
  return LEFT + (index * (width - LEFT - RIGHT)) / Math.max(1, count - 1);
}

type Line = (Place | null)[];

class ParallelDrawing implements Drawing {
  readonly #xs: number[];
  /** The lines that are drawn, with their trials. */
  readonly #shown: { line: Line; of: number }[] = [];

  constructor(
    readonly ranking: Ranking,
    readonly axes: readonly Axis[],
    readonly chosen: ReadonlySet<number> | null,
    width: number,
  ) {
    this.#xs = axes.map((_, index) => placeOf(index, axes.length, width));
    for (const trial of this.#sample()) this.#shown.push({ line: this.#line(trial), of: trial.number });
  }

  draw(pen: Pen): void {
    const faint: Line[] = [];
    const classes: Line[][] = RAMP.map(() => []);
    for (const { line, of } of this.#shown)
      if (this.chosen && !this.chosen.has(of)) faint.push(line);
      else classes[this.ranking.classOf(of)]?.push(line);
    lines(pen, faint, FAINT);
    for (const [index, shade] of RAMP.entries()) lines(pen, classes[index] ?? [], shade);
    const { best } = this.ranking;
    const out = best && this.chosen && !this.chosen.has(best.number);
    if (best)
      lines(pen, [this.#line(best)], { colour: pen.colours.green, opacity: out ? 0.3 : 1, width: 2.4 });
    for (const [index, axis] of this.axes.entries()) this.#axis(pen, axis, this.#xs[index] ?? 0);
  }

  mark(pen: Pen, number: number): void {
    const trial = this.ranking.all.find((one) => one.number === number);
    if (!trial) return;
    const line = this.#line(trial);
    lines(pen, [line], { colour: pen.colours.paper, opacity: 0.7, width: 5 });
    lines(pen, [line], { colour: pen.colours.ink, opacity: 1, width: 2.4 });
  }

  find(x: number, y: number): number {
    const right = this.#xs.findIndex((at) => at > x);
    if (right < 1) return NONE;
    const [from, to] = [this.#xs[right - 1] ?? 0, this.#xs[right] ?? 1];
    const share = (x - from) / (to - from);
    let least = NEAR;
    let found = NONE;
    // those in front are found first: the list begins with the best
    for (const { line, of } of this.#shown) {
      const [before, after] = [line[right - 1], line[right]];
      if (!before || !after || (this.chosen && !this.chosen.has(of))) continue;
      const distance = Math.abs(before[1] + share * (after[1] - before[1]) - y);
      if (distance < least) {
        least = distance;
        found = of;
      }
    }
    return found;
  }

  /** Some of the trials: the chosen ones, the best, and an even sample of the others. */
  #sample(): readonly Measured[] {
    const { ranked } = this.ranking;
    const { chosen } = this;
    if (ranked.length <= MOST_LINES) return ranked;
    const inside = chosen ? ranked.filter(({ number }) => chosen.has(number)) : ranked;
    const outside = chosen ? ranked.filter(({ number }) => !chosen.has(number)) : [];
    return [...thinned(inside, MOST_LINES), ...thinned(outside, MOST_LINES / 3)];
  }

  #line(trial: StudyTrial): Line {
    return this.axes.map((axis, index) => {
      const place = placeOn(axis, trial);
      return place === null ? null : [this.#xs[index] ?? 0, TOP + (1 - place) * (HEIGHT - TOP - BOTTOM)];
    });
  }

  #axis(pen: Pen, { name, scale }: Axis, x: number): void {
    const { ctx, colours } = pen;
    ctx.strokeStyle = colours.soft;
    ctx.lineWidth = 1.2;
    ctx.beginPath();
    ctx.moveTo(x, TOP);
    ctx.lineTo(x, HEIGHT - BOTTOM);
    ctx.stroke();
    words(pen, cut(name, 15), x, 12, { align: "center", colour: colours.ink, bold: true });
    for (const { at, text } of scale.ticks)
      words(pen, text, x + 6, TOP + (1 - at) * (HEIGHT - TOP - BOTTOM), { rim: true });
  }
}

/** At most that number: the best third of them, and an even sample of the others. */
function thinned<Of>(all: readonly Of[], most: number): readonly Of[] {
  if (all.length <= most) return all;
  const first = Math.floor(most / 3);
  const step = (all.length - first) / (most - first);
  return [
    ...all.slice(0, first),
    ...Array.from({ length: most - first }, (_, at) => all[first + Math.floor(at * step)] as Of),
  ];
}
