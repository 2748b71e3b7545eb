import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeModel, giveSize, place, settle, shadowOf, start } from "./fake.ts";
import { changeStudy, failed, STUDY, study, trial, wholeStudy } from "./studies.ts";

const TRIALS = [
  trial(0, 3),
  trial(1, 1),
  trial(2, 2),
  failed(3, "ValueError: lr is too large"),
  trial(4, null),
];

describe("a study", () => {
  let model: FakeModel;
  let end: () => void;
  let root: ShadowRoot;

  beforeEach(async () => {
    giveSize();
    document.body.innerHTML = "";
    ({ model, end } = start());
    const element = place("study", STUDY);
    model.say(wholeStudy(study(TRIALS)));
    await settle();
    root = shadowOf(element) as ShadowRoot;
  });
  afterEach(() => end());

  const find = (selector: string) => root.querySelector<HTMLElement>(selector) as HTMLElement;
  const button = (text: string) =>
    [...root.querySelectorAll("button")].find((one) => one.textContent?.trim() === text) as HTMLButtonElement;
  const open = async (tab: string) => {
    button(tab).click();
    await settle();
  };
  const press = (element: Element, key: string, more: KeyboardEventInit = {}) =>
    element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
  const numbers = () => [...root.querySelectorAll("tbody button.link")].map((one) => one.textContent);

  it("is asked for where it is not known, and not where it was told", async () => {
    expect(model.asked("watch")).toEqual([]);
    place("study", "local/other");
    await settle();
    expect(model.asked("watch")).toEqual([{ do: "watch", type: "study", id: "local/other" }]);
  });

  it("shows its best trial first, how it compares, and what is done", () => {
    expect(find(".best").textContent).toContain("Best trial (1) loss = 1");
    expect(find(".best").textContent).toContain("the next best is 2 (trial 2); the median is 2");
    expect(find(".progress").textContent).toContain("4 of 10 trials");
    expect(find(".progress").textContent).toContain("left");
    expect(find("canvas[role=img]").getAttribute("aria-label")).toBe(
      "loss of 3 trials; the best so far improved 2 times, to 1 in trial 1",
    );
    expect(find(".importances").textContent).toBe("lr80%act20%");
  });

  it("goes on as trials end and new ones begin", async () => {
    model.say(
      changeStudy(STUDY, 1, { importances: [["act", 1]] }, [
        { number: 4, state: "SUCCEEDED", value: 0.5 },
        { number: 5, state: "RUNNING", params: { lr: 0.01, act: "relu" } },
      ]),
    );
    await settle();
    expect(find(".best").textContent).toContain("Best trial (4) loss = 0.5");
    expect(find(".importances").textContent).toBe("act100%");
    await open("Trials");
    expect(numbers()).toEqual(["4 ★", "1", "2", "0", "5", "3"]);
  });

  it("is asked for anew after a gap", async () => {
    model.say(changeStudy(STUDY, 2, {}, [{ number: 4, state: "SUCCEEDED" }]));
    expect(model.asked("watch")).toEqual([{ do: "watch", type: "study", id: STUDY }]);
  });

  it("has a table to filter, by words and by states, and to sort", async () => {
    await open("Trials");
    const search = find("input[type=search]") as HTMLInputElement;
    search.value = "too large";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    expect(numbers()).toEqual(["3"]);
    search.value = "";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    button("Succeeded 3").click();
    await settle();
    expect(numbers()).toEqual(["4", "3"]);
    button("Succeeded 3").click();
    button("lr").click();
    await settle();
    expect(numbers()[0]).toBe("3");
  });

  it("opens a trial with its details and its log, by a click anywhere on its row", async () => {
    await open("Trials");
    (root.querySelector("tbody tr td:nth-child(3)") as HTMLElement).click();
    await settle();
    expect(find(".panel").getAttribute("aria-label")).toBe("Trial 1");
    expect(model.asked("detail")).toEqual([{ do: "detail", type: "study", id: STUDY, part: "1" }]);
    model.say({ kind: "detail", type: "study", id: STUDY, part: "1", html: "<p id=d>made</p>", error: "" });
    await settle();
    expect(find("#d").textContent).toBe("made");
    await open("Log");
    expect(model.asked("log")).toEqual([{ do: "log", type: "study", id: STUDY, part: "1", on: true }]);
    press(find(".panel"), "Escape");
    await settle();
    expect(find(".panel")).toBeNull();
    expect(model.asked("log")).toHaveLength(2);
  });

  it("has axes on which keys choose a range, which is told, and taken back", async () => {
    const axis = () => find("[role=slider][aria-label^='Choose trials by act']");
    press(axis(), "ArrowUp");
    await settle();
    expect(axis().getAttribute("aria-valuetext")).toBe("act tanh or True");
    expect(find(".chosen").textContent).toContain("2 of 5 trials");
    await open("Trials");
    expect(numbers()).toEqual(["1 ★", "3"]);
    await open("Overview");
    press(axis(), "ArrowUp");
    press(axis(), "ArrowDown");
    await settle();
    expect(axis().getAttribute("aria-valuetext")).toBe("act tanh");
    await open("Trials");
    await open("Show all");
    expect(numbers()).toHaveLength(5);
  });

  it("is stopped at the second click", async () => {
    button("Stop").click();
    await settle();
    expect(model.asked("stop")).toEqual([]);
    button("Stop the study?").click();
    expect(model.asked("stop")).toEqual([{ do: "stop", type: "study", id: STUDY }]);
  });

  it("stays as it was when its kernel has gone, and says how to see it again", async () => {
    model.become("dead");
    await settle();
    expect(find("header").textContent).toContain("%kf_study bowl shows it again");
    expect(button("Stop")).toBeUndefined();
  });
});

describe("what strangers wrote in a study", () => {
  it("is only text", async () => {
    giveSize();
    document.body.innerHTML = "";
    const evil = `"><img src=x onerror="window.hurt=1"><script>window.hurt=1</script>`;
    const { model, end } = start();
    const element = place("study", evil);
    const params = { [evil]: evil };
    const told = study([trial(0, 1, { params }), failed(1, evil)], {
      id: evil,
      name: evil,
      metric: evil,
      algorithm: evil,
      error: evil,
      reason: evil,
      notes: [evil],
      importances: [[evil, 1]],
      space: [{ name: evil, kind: "choice", low: 0, high: 0, log: false, choices: [evil] }],
    });
    model.say(wholeStudy(told));
    await settle();
    const root = shadowOf(element) as ShadowRoot;
    for (const tab of ["Slices", "Curves", "Trials", "Overview"]) {
      ([...root.querySelectorAll("button")].find((one) => one.textContent === tab) as HTMLElement).click();
      await settle();
      expect(root.querySelectorAll("script, img, iframe, a")).toHaveLength(0);
    }
    expect((window as { hurt?: number }).hurt).toBeUndefined();
    end();
  });
});
