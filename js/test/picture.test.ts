import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeModel, giveSize, place, settle, shadowOf, start } from "./fake.ts";
import { change, logBytes, rows, sweep, whole, wholeRuns } from "./samples.ts";

const ID = sweep().id;

describe("what a person does", () => {
  let model: FakeModel;
  let end: () => void;
  let root: ShadowRoot;

  beforeEach(async () => {
    giveSize();
    document.body.innerHTML = "";
    ({ model, end } = start());
    const element = place("run", ID);
    model.say(whole(sweep()));
    await settle();
    root = shadowOf(element) as ShadowRoot;
  });
  afterEach(() => end());

  const find = (selector: string) => root.querySelector<HTMLElement>(selector) as HTMLElement;
  const button = (text: string) =>
    [...root.querySelectorAll("button")].find((one) => one.textContent?.trim() === text) as HTMLButtonElement;
  const press = (element: Element, key: string) =>
    element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));

  it("opens a task and sees its details, asked for again when it goes on", async () => {
    find("[data-key=split]").click();
    await settle();
    expect(model.asked("detail")).toEqual([{ do: "detail", type: "run", id: ID, part: "split" }]);
    model.say({ kind: "detail", type: "run", id: ID, part: "split", html: "<p id=d>made</p>", error: "" });
    model.say(change(ID, 1, {}, [{ id: "split", state: "FAILED", error: "why" }]));
    await settle();
    expect(find("#d").textContent).toBe("made");
    expect(find(".panel .message").textContent).toBe("why");
    expect(model.asked("detail")).toHaveLength(2);
  });

  it("asks for a running task's details again when its inputs become known", async () => {
    const news = { id: "split", state: "RUNNING", attempts: 1 } as const;
    model.say(change(ID, 1, {}, [news]));
    find("[data-key=split]").click();
    await settle();
    expect(model.asked("detail")).toHaveLength(1);
    model.say(change(ID, 2, {}, [{ id: "split", known: 2 }]));
    await settle();
    expect(model.asked("detail")).toHaveLength(2);
  });

  it("sees a stack's iterations, those that failed first, by their labels", async () => {
    model.say({
      kind: "labels",
      type: "run",
      id: ID,
      tasks: { "for-loop-1/2/train": "[2] C = 10" },
      groups: { "for-loop-1": "loop over C" },
    });
    find("[data-key='for-loop-1/train']").click();
    await settle();
    expect([...root.querySelectorAll(".iteration-label")].map((one) => one.textContent)).toEqual([
      "[2] C = 10",
      "[0]",
      "[1]",
    ]);
    expect(find(".frame-head .title").textContent).toBe("loop over C");
    press(find(".iterations-list"), "ArrowDown");
    await settle();
    expect(find(".iterations-list [aria-selected=true] .iteration-label").textContent).toBe("[0]");
  });

  it("shows the lines that are asked for, in their colours, and saves all of them", async () => {
    find("[data-key=load]").click();
    await settle();
    button("Log").click();
    await settle();
    const log = new TextEncoder().encode("INFO: a\n\x1b[31mERROR: loss\x1b[0m\nprinted loss\n");
    model.say(
      { kind: "log", type: "run", id: ID, part: "load", first: 0, total: 3, ended: true, times: [[0, 5]] },
      new DataView(log.buffer),
    );
    await settle();
    await vi.waitFor(() => expect(find(".ansi-1")?.textContent).toBe("ERROR: loss"));
    const level = find("select[aria-label=Level]") as HTMLSelectElement;
    level.value = "3";
    level.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
    expect([...root.querySelectorAll(".line .text")].map((line) => line.textContent)).toEqual([
      "ERROR: loss",
    ]);
    expect(find(".log").textContent).toContain("1 of 3 lines shown");
    button("Show all").click();
    await settle();
    expect(root.querySelectorAll(".line")).toHaveLength(3);
    button("Download").click();
    expect(model.asked("save")).toEqual([{ do: "save", type: "run", id: ID, part: "load" }]);
    const [saved, create] = [[] as Blob[], URL.createObjectURL];
    URL.createObjectURL = (blob) => {
      saved.push(blob as Blob);
      return "blob:x";
    };
    const file = { kind: "file", type: "run", id: ID, part: "load", name: "load.log" } as const;
    model.say({ ...file, last: false }, new DataView(new TextEncoder().encode("one\n").buffer));
    model.say({ ...file, last: true }, new DataView(new TextEncoder().encode("two\n").buffer));
    URL.createObjectURL = create;
    expect(await saved[0]?.text()).toBe("one\ntwo\n");
  });

  it("reads a log, of which only what is seen is in the page, and leaves it", async () => {
    find("[data-key=load]").click();
    await settle();
    button("Log").click();
    await settle();
    expect(model.asked("log")).toEqual([{ do: "log", type: "run", id: ID, part: "load", on: true }]);
    model.say(
      { kind: "log", type: "run", id: ID, part: "load", first: 0, total: 100_000, ended: true, times: [] },
      logBytes(0, 100_000),
    );
    await settle();
    expect(root.querySelectorAll(".line").length).toBeLessThan(100);
    expect(find(".log").textContent).toContain("100,000 lines · the log has ended");
    press(find(".panel"), "Escape");
    await settle();
    expect(root.querySelector(".panel")).toBeNull();
    expect(model.asked("log").at(-1)).toEqual({ do: "log", type: "run", id: ID, part: "load", on: false });
  });

  it("stops only after it was asked", () => {
    button("Stop").click();
    expect(model.asked("stop")).toEqual([]);
    return settle().then(() => {
      button("Stop the run?").dispatchEvent(new FocusEvent("blur"));
      button("Stop the run?").click();
      expect(model.asked("stop")).toEqual([{ do: "stop", type: "run", id: ID }]);
    });
  });

  it("retries a run that failed, and hears how that went", async () => {
    model.say(change(ID, 1, { state: "FAILED" }));
    await settle();
    expect(button("Stop")).toBeUndefined();
    button("Retry").click();
    model.say({ kind: "reply", type: "run", id: ID, text: "It runs again", ok: true });
    await settle();
    expect(model.asked("retry")).toHaveLength(1);
    expect(find(".action-message").textContent).toBe("It runs again");
  });

  it("folds a group by the keyboard, and walks on", async () => {
    const head = find("[data-key='for-loop-1']");
    head.focus();
    press(head, "f");
    await settle();
    expect(root.querySelector("[data-key='for-loop-1/train']")).toBeNull();
    expect(find("[data-key='for-loop-1']").getAttribute("aria-expanded")).toBe("false");
    press(find("[data-key='for-loop-1']"), "ArrowRight");
    await settle();
    expect(find("[role=treeitem][tabindex='0']").dataset.key).toBe("report");
    press(find("[data-key=report]"), "Enter");
    await settle();
    expect(find(".panel b").textContent).toBe("report");
  });

  it("takes the focus along at once, so that moving the picture gives it back to the right node", () => {
    find("[data-key=split]").focus();
    press(find("[data-key=split]"), "ArrowRight");
    expect((root.activeElement as HTMLElement).dataset.key).toBe("for-loop-1");
  });

  it("is in the tab order once in the graph", () => {
    expect(root.querySelectorAll("[role=treeitem][tabindex='0']")).toHaveLength(1);
  });

  it("looks at the timeline and at the table of tasks", async () => {
    button("Timeline").click();
    await settle();
    expect(root.querySelectorAll(".timeline .row")).toHaveLength(13);
    expect(root.querySelectorAll("[data-kind=attempt]")).toHaveLength(1);
    button("Tasks").click();
    await settle();
    expect(root.querySelectorAll("tbody tr")).toHaveLength(13);
    button("Time").click();
    await settle();
    expect(find("th[aria-sort=ascending]").textContent).toContain("Time");
  });

  it("gives every control a name", async () => {
    find("[data-key=load]").click();
    await settle();
    for (const control of root.querySelectorAll("button, input, a, [tabindex='0']"))
      expect(
        control.getAttribute("aria-label") || control.textContent?.trim(),
        control.outerHTML,
      ).toBeTruthy();
  });

  it("downloads an artifact piece by piece, as a file", async () => {
    const saved: [string, Blob][] = [];
    const blobs: Blob[] = [];
    URL.createObjectURL = (blob: Blob) => `blob:${blobs.push(blob)}`;
    HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
      saved.push([this.download, blobs.at(-1) as Blob]);
    };
    find("[data-key=split]").click();
    await settle();
    const html = '<div data-kfnb-artifact="outputs/page"><h5>page</h5></div>';
    model.say({ kind: "detail", type: "run", id: ID, part: "split", html, error: "" });
    await settle();
    const download = find(".download");
    expect(download.getAttribute("aria-label")).toBe("Download page");
    download.click();
    const part = { type: "run", id: ID, part: "split", artifact: "outputs/page" };
    expect(model.asked("fetch")).toEqual([{ do: "fetch", ...part, first: 0 }]);
    const file = { kind: "piece", ...part, name: "split-page.html", size: 6, error: "" } as const;
    model.say({ ...file, first: 0 }, bytes("<p>a"));
    expect(download.textContent).toBe("66%");
    expect(model.asked("fetch").at(-1)).toEqual({ do: "fetch", ...part, first: 4 });
    model.say({ ...file, first: 4 }, bytes("b."));
    expect(download.textContent).toBe("Saved");
    expect(saved.map(([name]) => name)).toEqual(["split-page.html"]);
    expect(saved[0]?.[1].type).toBe("application/octet-stream");
    expect(await saved[0]?.[1].text()).toBe("<p>ab.");
  });

  it("hears why an artifact cannot be downloaded", async () => {
    find("[data-key=split]").click();
    await settle();
    const html = '<div data-kfnb-artifact="outputs/model"></div>';
    model.say({ kind: "detail", type: "run", id: ID, part: "split", html, error: "" });
    await settle();
    find(".download").click();
    const part = { type: "run", id: ID, part: "split", artifact: "outputs/model" };
    model.say({ kind: "piece", ...part, name: "", size: 0, first: 0, error: "model is too large" });
    await settle();
    expect(find(".action-message").textContent).toBe("model is too large");
    expect(find(".download").textContent).toBe("Download");
  });

  it("copies a task's error in full, and the command that runs it again", async () => {
    const copied: string[] = [];
    Object.defineProperty(navigator, "clipboard", {
      configurable: true,
      value: { writeText: async (text: string) => copied.push(text) },
    });
    model.say(change(ID, 1, { command: "%kf_submit churn_sweep --rows 300" }));
    find("[data-key='for-loop-1/train']").click();
    await settle();
    const error = "train failed (cell train, line 3)\nValueError: ...\nTraceback";
    model.say({ kind: "detail", type: "run", id: ID, part: "for-loop-1/2/train", html: "", error });
    await settle();
    button("Copy error").click();
    button("Copy command").click();
    await settle();
    expect(copied).toEqual([error, "%kf_submit churn_sweep --rows 300"]);
  });

  it("says what is done before the first task begins", async () => {
    model.say(whole({ ...sweep({ state: "PENDING", tasks: [] }), doing: "Starting the engine" }));
    await settle();
    expect(find(".doing").textContent).toBe("Starting the engine");
  });

  it("is told why nothing more will come", async () => {
    model.say({ kind: "gone", type: "run", id: ID, text: "This run was deleted." });
    await settle();
    expect(find(".head").textContent).toContain("This run was deleted.");
  });
});

function bytes(text: string): DataView {
  return new DataView(new TextEncoder().encode(text).buffer);
}

describe("the table of runs", () => {
  it("filters, sorts and fetches anew", async () => {
    giveSize();
    document.body.innerHTML = "";
    const { model, end } = start();
    const element = place("runs", "V");
    await settle();
    model.say(wholeRuns("V", rows(5000)));
    await settle();
    const root = shadowOf(element) as ShadowRoot;
    expect(root.querySelectorAll("tbody tr").length).toBeLessThan(100);
    const input = root.querySelector("input") as HTMLInputElement;
    input.value = "261124-000042";
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await settle();
    expect(root.querySelectorAll("tbody td")).toHaveLength(root.querySelectorAll("th").length);
    expect(root.querySelector(".runs-count")?.textContent).toBe("1 of 5,000 runs");
    const refresh = [...root.querySelectorAll("button")].find((one) => one.textContent === "Refresh");
    model.sent.length = 0;
    refresh?.click();
    expect(model.sent).toEqual([{ do: "watch", type: "runs", id: "V" }]);
    end();
  });
});
