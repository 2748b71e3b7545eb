import { afterEach, describe, expect, it } from "vitest";
import type { Pair, RunRow, RunTask } from "../src/protocol.ts";
import { giveSize, place, settle, shadowOf, start } from "./fake.ts";
import { logBytes, type Run, rows, run, task, whole, wholeRuns } from "./samples.ts";

const EVIL = `"><img src=x onerror="window.hurt=1"><script>window.hurt=1</script>`;
const PAIR: Pair[] = [[EVIL, EVIL]];

function evilTask(id: string, more: Partial<RunTask>): RunTask {
  return task(id, {
    title: EVIL,
    name: EVIL,
    path: [EVIL],
    doing: EVIL,
    error: EVIL,
    place: EVIL,
    needs: { [EVIL]: [EVIL] },
    ...more,
  });
}

const evil: Run = run(
  [
    evilTask(EVIL, { state: "FAILED" }),
    evilTask(`${EVIL}/0/${EVIL}`, { path: [EVIL, EVIL], turn: [0], state: "FAILED" }),
    evilTask(`${EVIL}/1/${EVIL}`, { path: [EVIL, EVIL], turn: [1], state: "PENDING" }),
    evilTask("group", { path: ["group"], group: true }),
  ],
  {
    id: EVIL,
    name: EVIL,
    pipeline: EVIL,
    backend: EVIL,
    experiment: EVIL,
    arguments: PAIR,
    result: PAIR,
    error: EVIL,
    notes: [EVIL],
    url: `javascript:window.hurt=1//${EVIL}`,
    state: "FAILED",
  },
);

/** Nothing that acts: no script, no picture, no handler, no address but the web's. */
function isHarmless(root: ShadowRoot): void {
  expect(root.querySelectorAll("script, img, iframe, object, embed")).toHaveLength(0);
  for (const element of root.querySelectorAll("*"))
    for (const { name, value } of element.attributes) {
      expect(name.startsWith("on")).toBe(false);
      if (name === "href") expect(value).toMatch(/^https?:/);
    }
  expect((window as { hurt?: number }).hurt).toBeUndefined();
}

describe("what strangers wrote", () => {
  afterEach(() => {
    document.body.innerHTML = "";
  });

  it("is only text, wherever a run shows it", async () => {
    giveSize();
    const { model, end } = start();
    const element = place("run", EVIL);
    model.say(whole(evil));
    model.say({
      kind: "labels",
      type: "run",
      id: EVIL,
      tasks: { [`${EVIL}/0/${EVIL}`]: EVIL },
      groups: { group: EVIL },
    });
    model.say({ kind: "reply", type: "run", id: EVIL, text: EVIL, ok: false });
    model.say({ kind: "gone", type: "run", id: EVIL, text: EVIL });
    await settle();
    const root = shadowOf(element) as ShadowRoot;
    const click = async (selector: string, at = 0) => {
      [...root.querySelectorAll<HTMLElement>(selector)].at(at)?.click();
      await settle();
      isHarmless(root);
    };
    isHarmless(root);
    await click(".card");
    await click(".panel [role=tab]", 1);
    for (const { part: id } of model.asked("log") as { part: string }[])
      model.say(
        { kind: "log", type: "run", id: EVIL, part: id, first: 0, total: 3, ended: true, times: [] },
        logBytes(0, 3, () => EVIL),
      );
    await settle();
    expect(root.querySelector(".line .text")?.textContent).toBe(EVIL);
    const search = root.querySelector("input[type=search]") as HTMLInputElement;
    search.value = "<img";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    await settle(300);
    expect(root.querySelectorAll("mark").length).toBe(3);
    isHarmless(root);
    await click(".bar [role=tab]", 1);
    await click(".bar [role=tab]", 2);
    end();
  });

  it("is only text in a table of runs", async () => {
    giveSize();
    const { model, end } = start();
    const element = place("runs", EVIL);
    const row: RunRow = {
      ...(rows(1)[0] as RunRow),
      id: EVIL,
      pipeline: EVIL,
      name: EVIL,
      experiment: EVIL,
      arguments: PAIR,
      metrics: PAIR,
      url: "javascript:window.hurt=1",
    };
    model.say(wholeRuns(EVIL, [row]));
    await settle();
    const root = shadowOf(element) as ShadowRoot;
    isHarmless(root);
    expect(root.textContent).toContain(EVIL);
    end();
  });
});
