import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChangeMessage, Head, ServiceHead, StaticPart, WholeMessage } from "../src/protocol.ts";
import { type FakeModel, place, settle, shadowOf, start } from "./fake.ts";

const ID = "local/churn";
const HEAD: ServiceHead = {
  name: "churn",
  generation: 3,
  over: false,
  actions: [
    ["promote", "Send all requests to churn@7?"],
    ["rollback", "End the canary churn@7?"],
    ["stop", "Stop service churn?"],
  ],
  lines: [["curl", "curl http://x"]],
};
const SECTIONS = [
  { id: "summary", html: "<h3>churn</h3>" },
  { id: "traffic", html: "<p>99 %</p>" },
  { id: "problems", html: "" },
  { id: "use", html: "<pre tabindex='0'>curl</pre>" },
];

function whole(head: ServiceHead = HEAD): WholeMessage {
  return {
    kind: "whole",
    type: "service",
    id: ID,
    seq: 0,
    now: 0,
    head: head as unknown as Head,
    parts: SECTIONS,
  };
}

function change(seq: number, head: Partial<ServiceHead>, parts: StaticPart[] = []): ChangeMessage {
  return { kind: "change", type: "service", id: ID, seq, now: 0, head, parts: parts as never };
}

describe("a service", () => {
  let model: FakeModel;
  let end: () => void;
  let root: ShadowRoot;

  beforeEach(async () => {
    document.body.innerHTML = "";
    ({ model, end } = start());
    const element = place("service", ID);
    model.say(whole());
    await settle();
    root = shadowOf(element) as ShadowRoot;
  });
  afterEach(() => end());

  const texts = () => [...root.querySelectorAll("button")].map((one) => one.textContent?.trim());
  const button = (text: string) =>
    [...root.querySelectorAll("button")].find((one) => one.textContent?.trim() === text) as HTMLButtonElement;
  const click = async (text: string) => {
    button(text).click();
    await settle();
  };

  it("shows its sections in order, and what can be done", () => {
    expect(root.querySelector("section")?.getAttribute("aria-label")).toBe("Service churn, live");
    expect(root.textContent).toMatch(/churn.*99 %.*curl/s);
    expect(texts()).toEqual(["Promote", "Roll back", "Stop", "Copy curl"]);
  });

  it("asks before it acts, and tells the kernel what it has shown", async () => {
    await click("Promote");
    expect(model.asked("promote")).toEqual([]);
    await click("Send all requests to churn@7?");
    expect(model.asked("promote")).toEqual([{ do: "promote", type: "service", id: ID, generation: 3 }]);
    expect(root.querySelector("[role=status]")?.textContent).toBe("Promoting…");
    model.say({ kind: "reply", type: "service", id: ID, text: "Sending all requests to churn@7", ok: true });
    await settle();
    expect(root.querySelector("[role=status]")?.textContent).toBe("Sending all requests to churn@7");
  });

  it("asks anew where the question has become another one", async () => {
    await click("Promote");
    model.say(change(1, { generation: 4, actions: [["promote", "Send all requests to churn@8?"]] }));
    await settle();
    await click("Promote");
    expect(model.asked("promote")).toEqual([]);
    await click("Send all requests to churn@8?");
    expect(model.asked("promote")).toEqual([{ do: "promote", type: "service", id: ID, generation: 4 }]);
  });

  it("says why something was refused", async () => {
    await click("Roll back");
    await click("End the canary churn@7?");
    model.say({ kind: "reply", type: "service", id: ID, text: "bob changed service churn", ok: false });
    await settle();
    const answer = root.querySelector("[role=status]") as HTMLElement;
    expect([answer.textContent, answer.dataset.ok]).toEqual(["bob changed service churn", "false"]);
    expect(texts()).toContain("Roll back");
  });

  it("leaves alone what does not change: a selection, and the focus", async () => {
    const [summary, traffic, use] = ["h3", "p", "pre"].map((one) => root.querySelector(one) as HTMLElement);
    use?.focus();
    model.say(
      change(1, {}, [
        { id: "traffic", html: "<p>50 %</p>" },
        { id: "problems", html: "<p class='bad'>422</p>" },
      ]),
    );
    await settle();
    expect(root.querySelector("h3")).toBe(summary);
    expect(root.querySelector("pre")).toBe(use);
    expect(root.activeElement).toBe(use);
    expect(traffic?.isConnected).toBe(false);
    expect(root.textContent).toMatch(/churn.*50 %.*422.*curl/s);
  });

  it("offers nothing that it does not know, and nothing once it has ended", async () => {
    model.say(change(1, { actions: [["explode", "Sure?"]] }));
    await settle();
    expect(texts()).toEqual(["Copy curl"]);
    model.say(change(2, { actions: [], lines: [], over: true }));
    await settle();
    expect(texts()).toEqual([]);
  });

  it("offers nothing once the kernel has ended, and says that the service runs on", async () => {
    model.become("dead");
    await settle();
    expect(texts()).toEqual(["Copy curl"]);
    expect(root.querySelector(".note")?.textContent).toContain("the service runs on");
  });

  it("shows what strangers wrote as text alone", async () => {
    const evil = `"><img src=x onerror="window.hurt=1"><script>window.hurt=1</script>`;
    model.say(
      whole({ ...HEAD, name: evil, actions: [["promote", evil]], lines: [[evil, evil]], generation: 9 }),
    );
    await settle();
    await click("Promote");
    expect(root.querySelectorAll("img, script")).toHaveLength(0);
    expect(texts()).toContain(evil);
    expect((window as { hurt?: number }).hurt).toBeUndefined();
  });
});
