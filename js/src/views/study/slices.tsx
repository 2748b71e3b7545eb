import { useMemo } from "preact/hooks";
import { type Axis, OBJECTIVE, placeOn } from "./axes.ts";
import { Canvas, type Drawing } from "./canvas.tsx";
import { dots, type Pen, type Place, RAMP, ring } from "./draw.ts";
import { Field, nearest } from "./field.ts";
import { Figure } from "./figure.tsx";
import type { Ranking } from "./ranking.ts";
import { noteOf } from "./scale.ts";
import { NONE, type StudyStore } from "./store.ts";

const HEIGHT = 176;

/** Each parameter against the value. */
export function Slices({ store }: { store: StudyStore }) {
  const axes = store.axes.value;
  const value = axes.at(-1);
  const params = axes.filter((axis) => axis.key !== OBJECTIVE);
  if (!value || !params.length) return <p class="soft">There are no parameters yet.</p>;
  return (
    <Figure
      title="Slices"
      about={`${value.name} over each parameter`}
      keys={[
        { sign: "○", colour: "green", words: "the best" },
        { sign: "●", colour: "blue", words: "better" },
        { sign: "●", colour: "grey", words: "worse" },
      ]}
      note={noteOf(value.scale)}
    >
      <div class="slices">
        {params.map((axis) => (
          <Slice key={axis.key} axis={axis} value={value} store={store} />
        ))}
      </div>
    </Figure>
  );
}

function Slice({ axis, value, store }: { axis: Axis; value: Axis; store: StudyStore }) {
  const ranking = store.ranking.value;
  const chosen = store.chosen.value;
  const drawing = useMemo(
    () => (width: number) => new SliceDrawing(ranking, chosen, axis, value, width),
    [ranking, chosen, axis, value],
  );
  const best = ranking.best ? `; the best is trial ${ranking.best.number}` : "";
  return (
    <Canvas
      label={`${value.name} over ${axis.name}${best}`}
      height={HEIGHT}
      store={store}
      drawing={drawing}
    />
  );
}

class SliceDrawing implements Drawing {
  readonly #field: Field;
  readonly #places: { place: Place; of: number }[] = [];

  constructor(
    readonly ranking: Ranking,
    readonly chosen: ReadonlySet<number> | null,
    axis: Axis,
    value: Axis,
    width: number,
  ) {
    this.#field = new Field(axis.scale, value.scale, { x: axis.name, y: "" }, width, HEIGHT);
    for (const trial of ranking.ranked) {
      const [x, y] = [placeOn(axis, trial), placeOn(value, trial)];
      if (x !== null && y !== null) this.#places.push({ place: this.#field.at(x, y), of: trial.number });
    }
  }

  draw(pen: Pen): void {
    this.#field.frame(pen);
    const faint: Place[] = [];
    const classes: Place[][] = RAMP.map(() => []);
    for (const { place, of } of this.#places)
      if (this.chosen && !this.chosen.has(of)) faint.push(place);
      else classes[this.ranking.classOf(of)]?.push(place);
    dots(pen, faint, pen.colours.grey, 0.15, 2.5);
    for (const [index, { colour }] of RAMP.entries()) dots(pen, classes[index] ?? [], colour, 1, 2.5);
    const best = this.#places.find(({ of }) => of === this.ranking.best?.number);
    if (best) ring(pen, best.place, pen.colours.green);
  }

  mark(pen: Pen, number: number): void {
    const found = this.#places.find(({ of }) => of === number);
    if (found) ring(pen, found.place, pen.colours.ink);
  }

  find(x: number, y: number): number {
    return nearest(this.#places, x, y, NONE);
  }
}
