/** tests/views/golden/messages.json has one of each message, written by tests/views/test_wire.py. */
import { describe, expect, it } from "vitest";
import type { PageMessage } from "../src/protocol.ts";
import { giveSize, place, settle, shadowOf, start } from "./fake.ts";

const found = import.meta.glob<PageMessage[]>("../../tests/views/golden/messages.json", {
  eager: true,
  import: "default",
});
const messages = Object.values(found)[0] ?? [];

describe.skipIf(!messages.length)("the kernel's own messages", () => {
  it("are all taken, and shown", async () => {
    giveSize();
    const { model, end } = start();
    const homes = new Map<string, HTMLElement>();
    for (const message of messages) {
      if (message.kind === "whole")
        homes.set(`${message.type} ${message.id}`, place(message.type, message.id));
      expect(() => model.say(message, new DataView(new ArrayBuffer(0)))).not.toThrow();
      await settle();
    }
    expect(homes.size).toBeGreaterThan(0);
    for (const home of homes.values()) expect(shadowOf(home)?.textContent).not.toBe("");
    end();
  });
});
