import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChangeMessage, WholeMessage } from "../src/protocol.ts";
import { type FakeModel, place, settle, shadowOf, start } from "./fake.ts";

/** A type that no view here knows, as a newer kernel or another noun may have. */
const TYPE = "made-up";

function told(html: string): WholeMessage {
  return { kind: "whole", type: TYPE, id: "one", seq: 0, now: 0, head: {}, parts: [{ id: "html", html }] };
}

function changed(seq: number, html: string): ChangeMessage {
  return { kind: "change", type: TYPE, id: "one", seq, now: 0, head: {}, parts: [{ id: "html", html }] };
}

describe("a type without a view of its own", () => {
  let model: FakeModel;
  let end: () => void;
  let element: HTMLElement;

  beforeEach(() => {
    document.body.innerHTML = "";
    ({ model, end } = start());
    element = place(TYPE, "one");
  });
  afterEach(() => end());

  const root = () => shadowOf(element) as ShadowRoot;

  it("keeps its static picture until the kernel answers", async () => {
    await settle();
    expect(model.asked("watch")).toEqual([{ do: "watch", type: TYPE, id: "one" }]);
    expect(shadowOf(element)).toBeNull();
    expect(element.textContent).toContain("as it was");
  });

  it("shows the HTML that the kernel makes of it, as it changes", async () => {
    model.say(told("<p>3 of 9</p>"));
    await settle();
    expect(root().querySelector("p")?.textContent).toBe("3 of 9");
    model.say(changed(1, "<p>4 of 9</p>"));
    await settle();
    expect(root().querySelector("p")?.textContent).toBe("4 of 9");
    model.say(changed(3, "<p>6 of 9</p>"));
    expect(model.asked("watch")).toHaveLength(2);
  });

  it("leaves open what a person has opened", async () => {
    const html = (word: string) => `<details><summary>More</summary>${word}</details>`;
    model.say(told(html("a")));
    await settle();
    (root().querySelector("details") as HTMLDetailsElement).open = true;
    model.say(changed(1, html("b")));
    await settle();
    expect(root().querySelector("details")?.textContent).toContain("b");
    expect(root().querySelector("details")?.open).toBe(true);
  });

  it("says why nothing more will come", async () => {
    model.say(told("<p>3 of 9</p>"));
    model.say({ kind: "gone", type: TYPE, id: "one", text: "it was deleted" });
    await settle();
    expect(root().querySelector(".note")?.textContent).toBe("it was deleted");
    expect(root().querySelector("p")?.textContent).toBe("3 of 9");
  });

  it("runs no script that a value brings along", async () => {
    model.say(told("<p>&lt;script&gt;window.hurt=1&lt;/script&gt;</p><script>window.hurt=1</script>"));
    await settle();
    expect("hurt" in window).toBe(false);
  });

  it("is not taken for a property that every object has", async () => {
    const odd = place("constructor", "two");
    model.say({ ...told("<p>odd</p>"), type: "constructor", id: "two" });
    await settle();
    expect(shadowOf(odd)?.textContent).toContain("odd");
  });
});
