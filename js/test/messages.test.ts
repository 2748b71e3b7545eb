/** test/messages.json has one of each message, written by kfnb's own test of kfnb/resources/runs/wire.py. */
import { describe, expect, it } from "vitest";
import type { FromKernel } from "../src/protocol.ts";
import { giveSize, place, settle, shadowOf, start } from "./fake.ts";

const found = import.meta.glob<FromKernel[]>("./messages.json", { eager: true, import: "default" });
const messages = Object.values(found)[0] ?? [];

describe.skipIf(!messages.length)("the kernel's own messages", () => {
  it("are all taken, and shown", async () => {
    giveSize();
    const { model, end } = start();
    const homes = new Map<string, HTMLElement>();
    for (const message of messages) {
      if (message.kind === "run") homes.set(message.run.id, place("run", message.run.id));
      if (message.kind === "study") homes.set(message.study.id, place("study", message.study.id));
      if (message.kind === "runs") homes.set(message.view, place("runs", message.view));
      expect(() => model.say(message, new DataView(new ArrayBuffer(0)))).not.toThrow();
      await settle();
    }
    expect(homes.size).toBeGreaterThan(0);
    for (const home of homes.values()) expect(shadowOf(home)?.textContent).not.toBe("");
    end();
  });
});
