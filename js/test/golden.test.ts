/** What Python and the page compute alike: tests/views/golden holds both; tests/views/test_golden.py writes it. */
import { describe, expect, it } from "vitest";
import { count, isOver, overall, styleOf, tally } from "../src/kit/states.ts";
import { brief, cut, digits, duration } from "../src/kit/words.ts";
import type { Scalar, StateName, StudyDimension, StudyTrial } from "../src/protocol.ts";
import { arrange, type Box } from "../src/views/run/graph/arrange.ts";
import { ofMany } from "../src/views/run/graph/caption.ts";
import { Ranking } from "../src/views/study/ranking.ts";
import { dimensionScale, numberScale, type Scale, valueScale } from "../src/views/study/scale.ts";

const files = import.meta.glob<unknown>("../../tests/views/golden/*.json", {
  eager: true,
  import: "default",
});

function golden<Of>(name: string): Of {
  return files[`../../tests/views/golden/${name}.json`] as Of;
}

interface Words {
  durations: [number | null, string][];
  digits: [number, number, string][];
  values: [Scalar, string][];
  cut: [string, number, string][];
}

describe("words", () => {
  const { durations, digits: numbers, values, cut: texts } = golden<Words>("words");

  it.each(durations)("say that %s s are %s", (seconds, said) => expect(duration(seconds)).toBe(said));

  it.each(numbers)("say %s to %s digits as %s", (value, most, said) =>
    expect(digits(value, most)).toBe(said),
  );

  it.each(values)("say the value %s as %s", (value, said) => expect(brief(value)).toBe(said));

  it.each(texts)("cut %s at %s", (text, columns, said) => expect(cut(text, columns)).toBe(said));
});

interface States {
  looks: Record<StateName, { word: string; colour: string; sign: string; solid: boolean; over: boolean }>;
  several: { states: StateName[]; overall: StateName; tally: string; caption: string }[];
}

describe("states", () => {
  const { looks, several } = golden<States>("states");

  it.each(Object.entries(looks))("show %s alike", (state, { over, ...own }) => {
    expect(styleOf(state as StateName)).toEqual(own);
    expect(isOver(state as StateName)).toBe(over);
  });

  it.each(several)("of several are said alike: $states", ({ states, ...said }) => {
    const counts = count(states);
    expect({ overall: overall(counts), tally: tally(counts), caption: ofMany(counts) }).toEqual(said);
  });
});

interface Scaled {
  ticks: [number, string][];
  log: boolean;
  clipped: boolean;
  places: [Scalar, number | null][];
}

interface Scales {
  dimensions: (Scaled & { dimension: StudyDimension })[];
  values: (Scaled & { values: number[]; maximize: boolean })[];
  numbers: (Scaled & { values: number[] })[];
}

function isSame(scale: Scale, { ticks, log, clipped, places }: Scaled): void {
  expect(scale.ticks.map(({ text }) => text)).toEqual(ticks.map(([, text]) => text));
  scale.ticks.forEach(({ at }, index) => {
    expect(at).toBeCloseTo(ticks[index]?.[0] ?? Number.NaN, 6);
  });
  expect({ log: scale.log, clipped: scale.clipped }).toEqual({ log, clipped });
  for (const [value, place] of places) {
    const number = scale.number(value);
    if (place === null || number === null) expect(number).toBe(place);
    else expect(scale.place(number)).toBeCloseTo(place, 6);
  }
}

describe("scales", () => {
  const { dimensions, values, numbers } = golden<Scales>("scales");

  it.each(dimensions)("of a dimension are alike: $dimension", ({ dimension, ...same }) => {
    isSame(dimensionScale(dimension), same);
  });

  it.each(values)("of an objective's values are alike: $values", ({ values: given, maximize, ...same }) => {
    isSame(valueScale(given, maximize), same);
  });

  it.each(numbers)("of numbers are alike: $values", ({ values: given, ...same }) => {
    isSame(numberScale(Math.min(...given), Math.max(...given)), same);
  });
});

interface Ranked {
  maximize: boolean;
  trials: StudyTrial[];
  ranked: number[];
  best_first: number[];
  records: number[];
  median: number | null;
}

describe("trials", () => {
  it.each(golden<Ranked[]>("ranks"))("are ranked alike", ({ maximize, trials, ...same }) => {
    const ranking = new Ranking(trials, maximize);
    const numbers = (of: readonly StudyTrial[]) => of.map(({ number }) => number);
    expect({
      ranked: numbers(ranking.ranked),
      best_first: numbers(ranking.bestFirst()),
      records: numbers(ranking.records),
      median: ranking.median,
    }).toEqual(same);
  });
});

interface Laid {
  boxes: Box[];
  width: number;
  height: number;
  places: Record<string, [x: number, y: number, width: number, height: number]>;
  routes: [string, string, [number, number][]][];
}

describe("the layout of a graph", () => {
  it.each(golden<Laid[]>("layouts"))("is alike: $width", ({ boxes, width, height, places, routes }) => {
    const layout = arrange(boxes);
    expect([layout.width, layout.height].map(rounded)).toEqual([width, height]);
    const found = [...layout.places].map(([key, at]) => [
      key,
      [at.x, at.y, at.width, at.height].map(rounded),
    ]);
    expect(Object.fromEntries(found)).toEqual(places);
    const ways = layout.routes.map(({ source, target, points }) => [
      source,
      target,
      points.map((one) => one.map(rounded)),
    ]);
    expect(ways.sort(byEnds)).toEqual(routes);
  });
});

function rounded(number: number): number {
  return Number(number.toFixed(4));
}

function byEnds(one: unknown[], other: unknown[]): number {
  const [first, second] = [`${one[0]} ${one[1]}`, `${other[0]} ${other[1]}`];
  return first < second ? -1 : first > second ? 1 : 0;
}
