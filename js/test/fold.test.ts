import { describe, expect, it } from "vitest";
import { Fold } from "../src/views/run/fold.ts";
import { longLoop, ran, run, sweep, task } from "./samples.ts";

describe("a run's fold", () => {
  it("takes fields in place of those known, and new tasks", () => {
    const fold = new Fold(run([task("a")]), 4);
    const touched = fold.change({
      kind: "change",
      id: "x",
      seq: 5,
      run: { state: "FAILED", error: "no" },
      tasks: [{ id: "a", state: "FAILED" }, task("b", { needs: { a: ["df"] } })],
    });
    expect(fold.head).toMatchObject({ state: "FAILED", error: "no", pipeline: "churn_sweep" });
    expect(fold.tasks.get("a")).toMatchObject({ state: "FAILED", title: "a" });
    expect([...(fold.stacks.get("b")?.needs.get("a") ?? [])]).toEqual(["df"]);
    expect(touched).toMatchObject({ head: true, shape: true });
  });

  it("does not draw another graph for a task's state", () => {
    const fold = new Fold(run([task("a")]), 0);
    const touched = fold.change({ kind: "change", id: "x", seq: 1, tasks: [{ id: "a", state: "RUNNING" }] });
    expect(touched?.shape).toBe(false);
    expect([...(touched?.stacks ?? [])].map((stack) => stack.key)).toEqual(["a"]);
  });

  it("says so after a gap, and passes over what it has seen", () => {
    const fold = new Fold(run([task("a")]), 7);
    expect(fold.change({ kind: "change", id: "x", seq: 9 })).toBeNull();
    const old = fold.change({ kind: "change", id: "x", seq: 7, tasks: [{ id: "a", state: "FAILED" }] });
    expect(old?.stacks.size).toBe(0);
    expect(fold.tasks.get("a")?.state).toBe("PENDING");
  });

  it("completes a task of which it hears little", () => {
    const fold = new Fold(run([]), 0);
    fold.change({ kind: "change", id: "x", seq: 1, tasks: [{ id: "late", state: "RUNNING" }] });
    expect(fold.tasks.get("late")).toMatchObject({ title: "late", path: ["late"], began: [] });
  });

  it("stacks the turns of a loop", () => {
    const fold = new Fold(sweep(), 0);
    const train = fold.stacks.get("for-loop-1/train");
    expect(train?.sorted.map((one) => one.turn)).toEqual([[0], [1], [2]]);
    expect(fold.stacks.get("for-loop-1")?.turns).toBe(3);
    expect([...(fold.stacks.get("for-loop-1")?.work() ?? [])]).toHaveLength(9);
  });

  it("tells each group around a task that it has changed", () => {
    const fold = new Fold(sweep(), 0);
    const touched = fold.change({
      kind: "change",
      id: "x",
      seq: 1,
      tasks: [{ id: "for-loop-1/0/condition-2/deploy", state: "SUCCEEDED" }],
    });
    expect([...(touched?.stacks ?? [])].map((stack) => stack.key)).toEqual([
      "for-loop-1/condition-2/deploy",
      "for-loop-1/condition-2",
      "for-loop-1",
    ]);
  });

  it("sorts turns as numbers, at each level", () => {
    const turns = [10, 2, 1].map((turn) => ran(`l/${turn}/m/${turn % 2}/t`, 0, 1));
    const fold = new Fold(run(turns), 0);
    expect(fold.stacks.get("l/m/t")?.sorted.map((one) => one.turn)).toEqual([
      [1, 1],
      [2, 0],
      [10, 0],
    ]);
  });

  it("makes few stacks of many turns", () => {
    expect(new Fold(longLoop(500), 0).stacks.size).toBe(3);
  });
});
