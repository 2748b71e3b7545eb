import { describe, expect, it } from "vitest";
import { barsOf, readyAt, rowsOf } from "../src/views/run/timeline/bars.ts";
import { folded, ran, run, START, sweep, task } from "./samples.ts";

describe("the timeline", () => {
  const fold = folded(sweep());
  const of = (id: string) => fold.tasks.get(id) ?? task(id);

  it("has a row a task, the iterations of one under each other", () => {
    const ids = rowsOf(fold).map((one) => one.id);
    expect(ids.slice(0, 5)).toEqual([
      "load",
      "split",
      "for-loop-1/0/train",
      "for-loop-1/1/train",
      "for-loop-1/2/train",
    ]);
    expect(ids).toHaveLength(13);
  });

  it("goes from what began first to what has not begun", () => {
    const late = task("late", { began: [START + 9] });
    const tasks = [task("never", { state: "SKIPPED" }), late, task("early", { began: [START + 1] })];
    expect(rowsOf(folded(run(tasks))).map((one) => one.id)).toEqual(["early", "late", "never"]);
  });

  it("shows the wait for what a task needs, and each attempt", () => {
    const failed = of("for-loop-1/2/train");
    expect(
      barsOf(failed, START + 5, START + 99).map((bar) => [bar.kind, bar.from - START, bar.to - START]),
    ).toEqual([
      ["wait", 5, 8],
      ["attempt", 8, 14],
      ["last", 14, 26],
    ]);
  });

  it("goes on until now while a task runs", () => {
    expect(barsOf(of("for-loop-1/0/condition-2/deploy"), null, START + 50)).toEqual([
      { kind: "last", from: START + 30, to: START + 50 },
    ]);
  });

  it("shows nothing of what was skipped", () => {
    expect(barsOf(of("for-loop-1/2/evaluate"), START, START + 50)).toEqual([]);
  });

  it("knows when a task was ready: in its own iteration, and not before its group began", () => {
    expect(readyAt(of("for-loop-1/1/evaluate"), fold)).toBe(START + 22);
    expect(readyAt(of("for-loop-1/1/train"), fold)).toBe(START + 5);
    expect(readyAt(of("load"), fold)).toBe(START);
    const waiting = folded(run([task("a"), ran("b", 1, 1, { needs: { a: [] } })]));
    expect(readyAt(waiting.tasks.get("b") ?? task("b"), waiting)).toBeNull();
  });
});
