import { beforeEach, describe, expect, it } from "vitest";
import { giveSize, place, settle, shadowOf, start } from "./fake.ts";
import { sweep } from "./samples.ts";

const ID = sweep().id;

describe("two ends of one kernel, as a notebook and a console of it have", () => {
  beforeEach(() => {
    giveSize();
    document.body.innerHTML = "";
  });

  it("do not fight for a place: the later one has it, and the other is silent", async () => {
    const [one, other] = [start(), start()];
    const element = place("run", ID);
    one.model.say({ kind: "run", seq: 0, run: sweep() });
    await settle();
    other.model.say({ kind: "run", seq: 0, run: sweep({ pipeline: "later" }) });
    await settle();
    expect(element.querySelectorAll("[data-kfnb-live]")).toHaveLength(1);
    one.model.say({ kind: "run", seq: 1, run: sweep() });
    await settle(1200);
    expect(shadowOf(element)?.querySelector("h3")?.textContent).toBe("later");
    expect(element.querySelector<HTMLElement>(".static")?.style.display).toBe("none");
    expect(one.model.asked("leave")).toEqual([]);
    one.end();
    other.end();
  });
});

describe("a kernel that has ended", () => {
  it("leaves the picture as it was, without orders to give", async () => {
    document.body.innerHTML = "";
    const { model, end } = start();
    const element = place("run", ID);
    model.say({ kind: "run", seq: 0, run: sweep() });
    await settle();
    end();
    await settle();
    const text = shadowOf(element)?.querySelector(".head")?.textContent;
    expect(text).toContain("The kernel that showed this run has gone");
    expect(text).not.toContain("Stop");
    expect(text).toContain("Copy id");
  });
});
