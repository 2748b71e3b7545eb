import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeModel, giveSize, place, settle, shadowOf, start } from "./fake.ts";
import { change, rows, run, sweep, task, whole, wholeRuns } from "./samples.ts";

const ID = sweep().id;

describe("a live picture", () => {
  let model: FakeModel;
  let end: () => void;

  beforeEach(() => {
    giveSize();
    document.body.innerHTML = "";
    ({ model, end } = start());
  });
  afterEach(() => end());

  const told = () => model.say(whole(sweep()));

  it("takes the static one's place once there is something to show", async () => {
    const element = place("run", ID);
    await settle();
    expect(model.asked("watch")).toEqual([{ do: "watch", type: "run", id: ID }]);
    expect(shadowOf(element)).toBeNull();
    told();
    await settle();
    expect(shadowOf(element)?.querySelector("h3")?.textContent).toBe("churn_sweep");
    expect(element.querySelector<HTMLElement>(".static")?.style.display).toBe("none");
    expect(shadowOf(element)?.host.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  });

  it("does so for a run that was told of before, and for elements deep in what is added", async () => {
    told();
    const element = place("run", ID);
    const outer = document.createElement("section");
    element.remove();
    outer.append(element);
    document.body.append(outer);
    await settle();
    expect(shadowOf(element)).not.toBeNull();
    expect(model.asked("watch")).toEqual([]);
    expect(model.asked("seen")).toEqual([{ do: "seen", type: "run", id: ID }]);
  });

  it("shows the static one below it as its report", async () => {
    const element = place("run", ID);
    told();
    await settle();
    const tab = (name: string) =>
      [...(shadowOf(element)?.querySelectorAll<HTMLElement>("[role=tab]") ?? [])]
        .find((one) => one.textContent === name)
        ?.click();
    shadowOf(element)?.querySelector<HTMLElement>("[data-key=load]")?.click();
    await settle();
    tab("Report");
    await settle();
    expect(shadowOf(element)?.querySelector(".panel")).toBeNull();
    expect(element.querySelector<HTMLElement>(".static")?.style.display).toBe("");
    element.innerHTML = '<div class="static">newer</div>';
    await settle();
    expect(element.querySelector<HTMLElement>(".static")?.style.display).toBe("");
    tab("Graph");
    await settle();
    expect(element.querySelector<HTMLElement>(".static")?.style.display).toBe("none");
  });

  it("keeps keys to itself, but for those with Ctrl or Cmd", async () => {
    const element = place("run", ID);
    told();
    await settle();
    const host = element.querySelector("[data-kfnb-live]") as HTMLElement;
    const kept = (keys: KeyboardEventInit) => {
      host.dispatchEvent(new KeyboardEvent("keydown", { bubbles: true, ...keys }));
      return host.hasAttribute("data-lm-suppress-shortcuts");
    };
    expect(kept({ key: "s", ctrlKey: true })).toBe(false);
    expect(kept({ key: "d" })).toBe(true);
  });

  it("leaves another kernel's pictures alone", async () => {
    told();
    const element = place("run", ID, "OTHER");
    await settle();
    expect(shadowOf(element)).toBeNull();
  });

  it("moves to a newer element of the same run, with all that was done in it", async () => {
    const old = place("run", ID);
    told();
    await settle();
    const host = old.querySelector("[data-kfnb-live]");
    shadowOf(old)?.querySelector<HTMLElement>("[data-key=load]")?.click();
    await settle();
    old.remove();
    const fresh = place("run", ID);
    await settle();
    expect(fresh.querySelector("[data-kfnb-live]")).toBe(host);
    expect(shadowOf(fresh)?.querySelector(".panel b")?.textContent).toBe("load");
    expect(old.querySelector<HTMLElement>(".static")?.style.display).toBe("");
    await settle(1200);
    expect(model.asked("leave")).toEqual([]);
  });

  it("comes back where an element's content is written anew", async () => {
    const element = place("run", ID);
    told();
    await settle();
    element.innerHTML = '<div class="static">newer</div>';
    await settle();
    expect(shadowOf(element)).not.toBeNull();
    expect(element.querySelector<HTMLElement>(".static")?.style.display).toBe("none");
  });

  it("is shown at each of several places", async () => {
    const places = [place("run", ID), place("run", ID)];
    await settle();
    told();
    await settle();
    expect(places.every((element) => shadowOf(element))).toBe(true);
    expect(model.asked("watch")).toHaveLength(1);
    model.say(change(ID, 1, { state: "SUCCEEDED" }));
    await settle();
    for (const element of places)
      expect(shadowOf(element)?.querySelector(".pill")?.textContent).toBe("Succeeded");
  });

  it("says that it leaves when the last place has gone, and watches again when one comes", async () => {
    const element = place("run", ID);
    told();
    await settle();
    element.remove();
    await settle(1200);
    expect(model.asked("leave")).toEqual([{ do: "leave", type: "run", id: ID }]);
    document.body.append(element);
    await settle();
    expect(model.asked("watch")).toHaveLength(1);
    expect(shadowOf(element)).not.toBeNull();
  });

  it("asks for the run anew after a gap", async () => {
    place("run", ID);
    told();
    await settle();
    model.sent.length = 0;
    model.say(change(ID, 5, {}, [{ id: "load", state: "FAILED" }]));
    expect(model.asked("watch")).toHaveLength(1);
    model.say(change(ID, 6));
    expect(model.asked("watch")).toHaveLength(1);
    model.say(whole(run([task("load", { state: "FAILED" })]), 6));
    model.say(change(ID, 9));
    expect(model.asked("watch")).toHaveLength(2);
  });

  it("shows a table of runs", async () => {
    const element = place("runs", "V");
    await settle();
    expect(model.asked("watch")).toEqual([{ do: "watch", type: "runs", id: "V" }]);
    model.say(wholeRuns("V", rows(3)));
    await settle();
    expect(shadowOf(element)?.querySelectorAll("tbody tr")).toHaveLength(3);
    const text = "this kernel does not keep it any more: run the cell again";
    model.say({ kind: "reply", type: "runs", id: "V", text, ok: false });
    await settle();
    expect(shadowOf(element)?.textContent).toContain(text);
    expect(shadowOf(element)?.textContent).not.toContain("Refresh");
  });

  it("passes over what it does not know", () => {
    const loose = model as unknown as { say(message: unknown): void };
    for (const message of [{ kind: "weather" }, { kind: "change", id: "?", seq: 1 }, "text", null, {}])
      expect(() => loose.say(message)).not.toThrow();
  });
});
