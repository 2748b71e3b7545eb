import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RunTask } from "../src/protocol.ts";
import { type FakeModel, giveSize, place, settle, shadowOf, start } from "./fake.ts";
import { change, run, task, whole } from "./samples.ts";

const RANKS = "<table aria-label=ranks><tr><td>Running</td></tr></table>";

describe("a training", () => {
  let model: FakeModel;
  let end: () => void;
  let root: ShadowRoot;

  async function shown(...tasks: RunTask[]): Promise<void> {
    document.body.innerHTML = "";
    ({ model, end } = start());
    const element = place("run", "r");
    model.say(whole(run(tasks, { id: "r" })));
    await settle();
    root = shadowOf(element) as ShadowRoot;
  }

  const training = (more: Partial<RunTask> = {}) =>
    task("fit", { state: "RUNNING", processes: 6, ranks: RANKS, ...more });
  const tabs = () => [...root.querySelectorAll(".panel [role=tab]")].map((one) => one.textContent);
  const open = async (name: string) => {
    const tab = [...root.querySelectorAll<HTMLElement>(".panel [role=tab]")].find(
      (one) => one.textContent === name,
    );
    tab?.click();
    await settle();
  };
  const says = async (lines: string[]) => {
    const bytes = new DataView(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")).buffer);
    const total = lines.length;
    model.say(
      { kind: "log", type: "run", id: "r", part: "fit", first: 0, total, ended: false, times: [] },
      bytes,
    );
    await settle();
  };
  const columns = () =>
    [...root.querySelectorAll("[role=log]")].map((log) =>
      [...log.querySelectorAll(".text")].map((line) => line.textContent),
    );
  const choose = async (value: string) => {
    const select = root.querySelector<HTMLSelectElement>("select[aria-label=Ranks]") as HTMLSelectElement;
    select.value = value;
    select.dispatchEvent(new Event("change"));
    await settle();
  };

  beforeEach(() => giveSize());
  afterEach(() => end());

  it("that is all of a run shows its ranks, until they are closed", async () => {
    await shown(training({ processes: 0, ranks: "" }));
    expect(root.querySelector(".panel")).toBeNull();
    model.say(change("r", 1, {}, [{ id: "fit", processes: 6, ranks: RANKS }]));
    await settle();
    expect(tabs()).toEqual(["Ranks", "Details", "Log"]);
    expect(root.querySelector("[aria-label=ranks]")?.textContent).toBe("Running");
    expect(model.asked("detail")).toEqual([]);
    model.say(change("r", 2, {}, [{ id: "fit", ranks: RANKS.replace("Running", "Failed") }]));
    await settle();
    expect(root.querySelector("[aria-label=ranks]")?.textContent).toBe("Failed");
    root.querySelector<HTMLElement>(".close")?.click();
    model.say(change("r", 3, {}, [{ id: "fit", ranks: RANKS }]));
    await settle();
    expect(root.querySelector(".panel")).toBeNull();
  });

  it("has the failure above its ranks", async () => {
    await shown(
      training({ state: "FAILED", error: "rank 1: ValueError: bad shard", place: "cell fit [2], line 7" }),
    );
    const panel = root.querySelector(".panel")?.textContent ?? "";
    expect(panel.indexOf("rank 1: ValueError")).toBeGreaterThan(0);
    expect(panel.indexOf("rank 1: ValueError")).toBeLessThan(panel.indexOf("Running"));
  });

  it("of a pipeline has ranks, and another task has none", async () => {
    await shown(task("load"), training());
    expect(root.querySelector(".panel")).toBeNull();
    root.querySelector<HTMLElement>("[data-key=load]")?.click();
    await settle();
    expect(tabs()).toEqual(["Details", "Log"]);
    root.querySelector<HTMLElement>("[data-key=fit]")?.click();
    await settle();
    expect(tabs()).toEqual(["Ranks", "Details", "Log"]);
  });

  it("has the logs of its ranks merged, side by side, or one alone", async () => {
    await shown(training());
    await open("Log");
    await says(["[rank 0] a", "[rank 1] b", "[rank 0] \x1b[31mred\x1b[0m c", "rank 1 failed"]);
    expect(columns()).toEqual([["[rank 0] a", "[rank 1] b", "[rank 0] red c", "rank 1 failed"]]);
    await choose("0,1,2,3");
    expect(columns()).toEqual([["a", "red c"], ["b"], [], []]);
    expect(root.querySelector(".ansi-1")?.textContent).toBe("red");
    expect(root.textContent).toContain("3 of 4 lines shown");
    await choose("1");
    expect(columns()).toEqual([["b"]]);
    await choose("");
    expect(columns()[0]).toHaveLength(4);
  });

  it("with many lines of many ranks has those in the page that are seen", async () => {
    await shown(training({ processes: 64 }));
    await open("Log");
    await says(Array.from({ length: 64_000 }, (_, line) => `[rank ${line % 64}] line ${line}`));
    await choose("60,61,62,63");
    expect(columns()).toHaveLength(4);
    expect(columns().flat().length).toBeLessThan(400);
    expect(columns()[3]?.every((text) => Number(text?.slice(5)) % 64 === 63)).toBe(true);
  });
});
