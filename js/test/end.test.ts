import { beforeEach, describe, expect, it } from "vitest";
import { giveSize, place, settle, shadowOf, start } from "./fake.ts";
import { change, sweep, whole } from "./samples.ts";

const ID = sweep().id;

describe("two ends of one kernel, as a notebook and a console of it have", () => {
  beforeEach(() => {
    giveSize();
    document.body.innerHTML = "";
  });

  it("do not fight for a place: the later one has it, and the other is silent", async () => {
    const [one, other] = [start(), start()];
    const element = place("run", ID);
    one.model.say(whole(sweep()));
    await settle();
    other.model.say(whole(sweep({ pipeline: "later" })));
    await settle();
    expect(element.querySelectorAll("[data-kfnb-live]")).toHaveLength(1);
    one.model.say(whole(sweep(), 1));
    await settle(1200);
    expect(shadowOf(element)?.querySelector("h3")?.textContent).toBe("later");
    expect(element.querySelector<HTMLElement>(".static")?.style.display).toBe("none");
    expect(one.model.asked("leave")).toEqual([]);
    one.end();
    other.end();
  });
});

describe("a kernel that has ended", () => {
  beforeEach(() => {
    giveSize();
    document.body.innerHTML = "";
  });

  async function shown() {
    const { model, end } = start();
    const element = place("run", ID);
    model.say(whole(sweep()));
    await settle();
    return { model, end, root: shadowOf(element) as ShadowRoot };
  }
  const head = (root: ShadowRoot) => root.querySelector(".head")?.textContent ?? "";

  it("leaves the picture as it was, without orders to give", async () => {
    const { end, root } = await shown();
    end();
    await settle();
    expect(head(root)).toContain("The kernel has ended");
    expect(head(root)).not.toContain("Stop");
    expect(head(root)).toContain("Copy id");
  });

  it("is noticed when it is started anew, and time stands still from then on", async () => {
    const { model, root } = await shown();
    model.become("busy");
    model.become("idle");
    await settle();
    expect(head(root)).toContain("Stop");
    model.become("restarting");
    await settle();
    expect(head(root)).toContain(`%kf_run ${ID} shows it again`);
    const times = () => [...root.querySelectorAll(".elapsed")].map((one) => one.textContent);
    const before = times();
    await settle(1200);
    expect(times()).toEqual(before);
  });

  it("is noticed, without an error, when nothing can be said to it, and what is not known is not waited for", async () => {
    const { model, root } = await shown();
    model.broken = true;
    root.querySelector<HTMLElement>("[data-key=load]")?.click();
    await settle();
    expect(head(root)).toContain("The kernel has ended");
    expect(root.querySelector(".panel")?.textContent).toContain(
      "This was not fetched before the kernel ended.",
    );
  });
});

describe("a kernel that is connected anew", () => {
  it("is asked again for all that is shown, since what it said meanwhile may be lost", async () => {
    giveSize();
    document.body.innerHTML = "";
    const { model, end } = start();
    const element = place("run", ID);
    place("runs", "V");
    model.say(whole(sweep()));
    await settle();
    const root = shadowOf(element) as ShadowRoot;
    root.querySelector<HTMLElement>("[data-key=load]")?.click();
    await settle();
    model.sent.length = 0;
    model.become("connecting");
    expect(model.sent).toEqual([]);
    model.become("connected");
    await settle();
    expect(model.sent).toEqual([
      { do: "watch", type: "run", id: ID },
      { do: "watch", type: "runs", id: "V" },
      { do: "detail", type: "run", id: ID, part: "load" },
    ]);
    [...root.querySelectorAll<HTMLElement>("[role=tab]")].find((one) => one.textContent === "Log")?.click();
    await settle();
    model.sent.length = 0;
    model.become("connected");
    expect(model.asked("log")).toEqual([{ do: "log", type: "run", id: ID, part: "load", on: true }]);
    end();
  });
});

describe("a kernel that is busy", () => {
  it("is said to be so while an order waits, and the answer is no news once the run has stopped", async () => {
    giveSize();
    document.body.innerHTML = "";
    const { model, end } = start();
    const element = place("run", ID);
    model.say(whole(sweep()));
    await settle();
    const root = shadowOf(element) as ShadowRoot;
    const said = () => root.querySelector(".action-message")?.textContent;
    for (const text of ["Stop", "Stop the run?"]) {
      [...root.querySelectorAll("button")].find((one) => one.textContent === text)?.click();
      await settle();
    }
    expect(said()).toBe("Stopping…");
    await settle(2100);
    expect(said()).toBe("The kernel is busy: it will stop the run as soon as it is free.");
    model.say(change(ID, 1, { state: "CANCELED" }));
    await settle();
    model.say({ kind: "reply", type: "run", id: ID, text: "Stopping.", ok: true });
    await settle();
    expect(said()).toBeUndefined();
    end();
  });
});
