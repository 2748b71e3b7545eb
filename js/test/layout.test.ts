import { describe, expect, it } from "vitest";
import { arrange, type Box, HEADER } from "../src/views/run/graph/arrange.ts";
import { boxesOf } from "../src/views/run/graph/boxes.ts";
import { next } from "../src/views/run/graph/keys.ts";
import { forward, spread } from "../src/views/run/graph/layers.ts";
import type { Place } from "../src/views/run/graph/level.ts";
import { RunStore } from "../src/views/run/store.ts";
import { group, run, task, whole } from "./samples.ts";

function box(key: string, needs: string[] = [], children: Box[] = []): Box {
  return { key, needs, children, width: 100, height: 40 };
}

const nested = [
  box("a"),
  box("g", ["a"], [box("g/x"), box("g/y", ["g/x"]), box("g/h", ["g/y"], [box("g/h/z")])]),
  box("b", ["g", "a"]),
];

function place(key: string, places: Map<string, Place>): Place {
  const found = places.get(key);
  if (!found) throw new Error(`${key} has no place`);
  return found;
}

describe("the layout", () => {
  const { places, routes, width, height } = arrange(nested);
  const at = (key: string) => place(key, places);

  it("goes from left to right along the edges", () => {
    for (const { source, target } of routes)
      expect(at(source).x + at(source).width).toBeLessThanOrEqual(at(target).x);
  });

  it("puts groups around what is in them, at any depth", () => {
    for (const [inner, outer] of [
      ["g/x", "g"],
      ["g/h", "g"],
      ["g/h/z", "g/h"],
    ] as const) {
      expect(at(inner).x).toBeGreaterThan(at(outer).x);
      expect(at(inner).y).toBeGreaterThanOrEqual(at(outer).y + HEADER);
      expect(at(inner).x + at(inner).width).toBeLessThan(at(outer).x + at(outer).width);
      expect(at(inner).y + at(inner).height).toBeLessThan(at(outer).y + at(outer).height);
    }
  });

  it("holds everything", () => {
    for (const one of places.values()) {
      expect(Math.min(one.x, one.y)).toBeGreaterThanOrEqual(0);
      expect(one.x + one.width).toBeLessThanOrEqual(width);
      expect(one.y + one.height).toBeLessThanOrEqual(height);
    }
  });

  it("lets no two siblings overlap", () => {
    const many = arrange(
      Array.from({ length: 60 }, (_, index) => box(`n${index}`, [`n${index >> 1}`, `n${index - 3}`])),
    );
    const all = [...many.places.values()];
    for (const [index, one] of all.entries())
      for (const other of all.slice(index + 1)) {
        const apart = one.x + one.width <= other.x || other.x + other.width <= one.x;
        expect(apart || one.y + one.height <= other.y || other.y + other.height <= one.y).toBe(true);
      }
  });

  it("leaves out an edge that closes a ring, and one to nowhere", () => {
    const ring = arrange([box("a", ["c", "nobody"]), box("b", ["a"]), box("c", ["b"])]);
    expect(ring.routes).toHaveLength(2);
    expect(
      forward(
        ["a", "b"],
        [
          ["a", "b"],
          ["b", "a"],
        ],
      )[1],
    ).toHaveLength(1);
  });

  it("spreads what wants the same place evenly around it", () => {
    expect(spread([0, 0, 0], [10, 10])).toEqual([-10, 0, 10]);
  });

  it("lays out a thousand nodes of one piece quickly", () => {
    const boxes = Array.from({ length: 1000 }, (_, index) =>
      box(`n${index}`, [`n${(index * 7919) % Math.max(1, index)}`, `n${index - 1 - (index % 30)}`]),
    );
    const began = performance.now();
    expect(arrange(boxes).places.size).toBe(1000);
    expect(performance.now() - began).toBeLessThan(1500);
  });
});

describe("the arrow keys", () => {
  const layout = arrange(nested);

  it("go along the edges, and into and out of groups", () => {
    expect(next("ArrowRight", "a", layout)).toBe("g");
    expect(next("ArrowRight", "g", layout)).toBe("g/x");
    expect(next("ArrowRight", "g/x", layout)).toBe("g/y");
    expect(next("ArrowRight", "g/h/z", layout)).toBe("b");
    expect(next("ArrowLeft", "g/x", layout)).toBe("g");
    expect(next("ArrowLeft", "a", layout)).toBe("a");
  });

  it("go to the nearest next step, not past it to one that needs both", () => {
    const steps = arrange([
      box("load"),
      box("split", ["load"]),
      box("train", ["split"]),
      box("evaluate", ["train", "split"]),
    ]);
    expect(next("ArrowRight", "split", steps)).toBe("train");
    expect(next("ArrowRight", "train", steps)).toBe("evaluate");
    expect(next("ArrowLeft", "evaluate", steps)).toBe("train");
  });

  it("start at the first node", () => {
    expect(next("ArrowDown", "gone", layout)).toBe("a");
  });
});

describe("the branches of a condition", () => {
  it("stand as they were written, whichever was heard of first", () => {
    const names = [
      "condition-branches-1",
      "condition-branches-1/condition-10",
      "condition-branches-1/condition-2",
    ];
    const store = new RunStore("run", "r", () => {});
    store.whole(
      whole(run([task("load"), ...names.map((name) => group(name, name)), task(`${names[1]}/report`)])),
    );
    const boxes = boxesOf(store.fold.value?.roots ?? [], store);
    expect(boxes.map((one) => one.key)).toEqual(["load", "condition-branches-1"]);
    expect(boxes[1]?.children.map((one) => one.key)).toEqual([names[2], names[1]]);
  });
});
