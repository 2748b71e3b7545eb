import { describe, expect, it } from "vitest";
import { brief, digits } from "../src/kit/words.ts";
import { axesOf } from "../src/views/study/axes.ts";
import { chosenBy, placesOf, rangeOf, rangeText } from "../src/views/study/brush.ts";
import { timeLeft } from "../src/views/study/progress.tsx";
import { Ranking } from "../src/views/study/ranking.ts";
import { dimensionScale, valueScale } from "../src/views/study/scale.ts";
import { START } from "./samples.ts";
import { ACT, failed, LR, study, trial } from "./studies.ts";

const TRIALS = [trial(0, 3), trial(1, 1), trial(2, 2), failed(3, "no"), trial(4, null)];

describe("trials", () => {
  it("stand by their values, the best first, and then what goes on and what failed", () => {
    const ranking = new Ranking(TRIALS, false);
    expect(ranking.bestFirst().map(({ number }) => number)).toEqual([1, 2, 0, 4, 3]);
    expect(new Ranking(TRIALS, true).best?.number).toBe(0);
    expect(ranking.records.map(({ number }) => number)).toEqual([0, 1]);
    expect(ranking.median).toBe(2);
    expect([ranking.classOf(1), ranking.classOf(0), ranking.classOf(3)]).toEqual([4, 1, -1]);
  });

  it("of equal values, the earliest is the best", () => {
    expect(new Ranking([trial(0, 1), trial(1, 1)], true).best?.number).toBe(0);
  });

  it("tell how much longer a study takes", () => {
    const { trials, ...head } = study(TRIALS);
    // (10 - 4) trials of 7.75 s, of which one has run for 2 s; two at once
    expect(timeLeft(head, new Ranking(trials, false), START + 6)).toBeCloseTo((6 * 7.75 - 2) / 2);
    expect(timeLeft({ ...head, most: null }, new Ranking(trials, false), START)).toBeNull();
    expect(timeLeft({ ...head, timeout: 10 }, new Ranking(trials, false), START + 6)).toBe(4);
    // it went on after its time was up, and has all of it again
    const left = timeLeft(head, new Ranking(trials, false), START + 6);
    expect(timeLeft({ ...head, timeout: 5 }, new Ranking(trials, false), START + 6)).toBe(left);
  });

  it("do not count where they were killed", () => {
    const killed = { ...trial(9, 1), state: "KILLED" } as const;
    expect(new Ranking([...TRIALS, killed], false).done).toBe(new Ranking(TRIALS, false).done);
  });
});

describe("a scale", () => {
  it("has decades evenly apart", () => {
    const scale = dimensionScale(LR);
    expect([1e-4, 1e-3, 1e-2, 1e-1].map(scale.place)).toEqual(
      [0, 1 / 3, 2 / 3, 1].map((at) => expect.closeTo(at)),
    );
    expect(scale.ticks.map(({ text }) => text)).toEqual(["0.0001", "0.001", "0.01", "0.1"]);
    expect(scale.at(0.5)).toBeCloseTo(10 ** -2.5);
  });

  it("tells choices apart that only look the same", () => {
    const scale = dimensionScale({ ...ACT, choices: [1, "1", true] });
    expect([1, "1", true, "x"].map((value) => scale.number(value))).toEqual([0, 1, 2, null]);
  });

  it("has what is far worse at its edge", () => {
    const values = Array.from({ length: 100 }, (_, index) => 1 + index / 100);
    const scale = valueScale([...values, -1e9], true);
    expect(scale.clipped).toBe(true);
    expect(scale.place(-1e9)).toBe(0);
    expect(scale.place(1.99)).toBeGreaterThan(0.9);
  });

  it.each([[[]], [[0]], [[5, 5]], [[-1, 0, 1]], [[1e-300, 1e300]]])("holds %j", (values) => {
    const scale = valueScale(values, false);
    for (const value of values) expect(scale.place(value)).toSatisfy((at: number) => at >= 0 && at <= 1);
    for (const { at } of scale.ticks) expect(at).toSatisfy((one: number) => one >= 0 && one <= 1);
  });
});

describe("ranges on axes", () => {
  const ranking = new Ranking(TRIALS, false);
  const { trials, ...head } = study(TRIALS);
  const axes = axesOf(head, ranking);
  const [lr, act, loss] = axes as [(typeof axes)[0], (typeof axes)[0], (typeof axes)[0]];

  it("choose the trials that are within all of them", () => {
    expect(chosenBy(new Map(), axes, trials)).toBeNull();
    const ranges = new Map([
      ["lr", rangeOf(lr.scale, 0.5, 1)],
      ["act", rangeOf(act.scale, 0, 0.3)],
    ]);
    expect([...(chosenBy(ranges, axes, trials) ?? [])]).toEqual([0, 4]);
    expect([...(chosenBy(new Map([["", rangeOf(loss.scale, 0, 0.6)]]), axes, trials) ?? [])]).toEqual([1, 2]);
  });

  it("reach from where they were drawn to where, and at an end of the axis to all there is", () => {
    expect(placesOf(lr.scale, rangeOf(lr.scale, 0.8, 0.2))).toEqual([
      expect.closeTo(0.2),
      expect.closeTo(0.8),
    ]);
    expect(rangeOf(lr.scale, -0.1, 2)).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it("are written as text", () => {
    expect(rangeText(lr, rangeOf(lr.scale, 1 / 3, 2 / 3))).toBe("lr from 0.001 to 0.01");
    expect(rangeText(lr, rangeOf(lr.scale, 0, 2 / 3))).toBe("lr up to 0.01");
    expect(rangeText(act, rangeOf(act.scale, 0.4, 1))).toBe("act tanh or True");
  });
});

describe("numbers in words", () => {
  it("are short", () => {
    expect([0.1, 1e-7, 123456.789, 1e21, 3, 0.00012345678].map((value) => digits(value, 5))).toEqual([
      "0.1",
      "1e-07",
      "1.2346e+05",
      "1e+21",
      "3",
      "0.00012346",
    ]);
    expect([true, null, "x", 2.5].map(brief)).toEqual(["True", "", "x", "2.5"]);
  });
});
