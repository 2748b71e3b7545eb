import { describe, expect, it } from "vitest";
import { RunStore } from "../src/views/run/store.ts";
import { change, folded, longLoop, ran, run, sweep, task, whole } from "./samples.ts";

describe("what is known of a run", () => {
  const store = () => new RunStore("run", "r", () => {});

  it("takes no change after a gap, nor before all is known, and passes over what it has seen", () => {
    const one = store();
    expect(one.change(change("r", 1))).toBe(false);
    one.whole(whole(run([task("a")]), 7));
    expect(one.change(change("r", 9))).toBe(false);
    expect(one.change(change("r", 7, {}, [{ id: "a", state: "FAILED" }]))).toBe(true);
    expect(one.fold.value?.tasks.get("a")?.state).toBe("PENDING");
    expect(one.change(change("r", 8, {}, [{ id: "a", state: "FAILED" }]))).toBe(true);
    expect(one.fold.value?.tasks.get("a")?.state).toBe("FAILED");
  });
});

describe("a run's fold", () => {
  it("takes fields in place of those known, and new tasks", () => {
    const fold = folded(run([task("a")]));
    const touched = fold.change({ state: "FAILED", error: "no" }, [
      { id: "a", state: "FAILED" },
      task("b", { needs: { a: ["df"] } }),
    ]);
    expect(fold.head).toMatchObject({ state: "FAILED", error: "no", pipeline: "churn_sweep" });
    expect(fold.tasks.get("a")).toMatchObject({ state: "FAILED", title: "a" });
    expect([...(fold.stacks.get("b")?.needs.get("a") ?? [])]).toEqual(["df"]);
    expect(touched).toMatchObject({ head: true, shape: true });
  });

  it("does not draw another graph for a task's state", () => {
    const fold = folded(run([task("a")]));
    const touched = fold.change({}, [{ id: "a", state: "RUNNING" }]);
    expect(touched?.shape).toBe(false);
    expect([...(touched?.stacks ?? [])].map((stack) => stack.key)).toEqual(["a"]);
  });

  it("completes a task of which it hears little", () => {
    const fold = folded(run([]));
    fold.change({}, [{ id: "late", state: "RUNNING" }]);
    expect(fold.tasks.get("late")).toMatchObject({ title: "late", path: ["late"], began: [] });
  });

  it("stacks the iterations of a loop", () => {
    const fold = folded(sweep());
    const train = fold.stacks.get("for-loop-1/train");
    expect(train?.sorted.map((one) => one.turn)).toEqual([[0], [1], [2]]);
    expect(fold.stacks.get("for-loop-1")?.iterations).toBe(3);
    expect([...(fold.stacks.get("for-loop-1")?.work() ?? [])]).toHaveLength(9);
  });

  it("tells each group around a task that it has changed", () => {
    const fold = folded(sweep());
    const touched = fold.change({}, [{ id: "for-loop-1/0/condition-2/deploy", state: "SUCCEEDED" }]);
    expect([...(touched?.stacks ?? [])].map((stack) => stack.key)).toEqual([
      "for-loop-1/condition-2/deploy",
      "for-loop-1/condition-2",
      "for-loop-1",
    ]);
  });

  it("sorts iterations as numbers, at each level", () => {
    const iterations = [10, 2, 1].map((turn) => ran(`l/${turn}/m/${turn % 2}/t`, 0, 1));
    const fold = folded(run(iterations));
    expect(fold.stacks.get("l/m/t")?.sorted.map((one) => one.turn)).toEqual([
      [1, 1],
      [2, 0],
      [10, 0],
    ]);
  });

  it("makes few stacks of many iterations", () => {
    expect(folded(longLoop(500)).stacks.size).toBe(3);
  });
});
