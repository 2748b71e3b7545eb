import { expect, it } from "vitest";
import { learn, now } from "../src/kit/clock.ts";

it("keeps the kernel's time, as the message that came fastest tells it", () => {
  const here = Date.now() / 1000;
  learn(here + 100);
  learn(here + 99);
  expect(now() - here).toBeGreaterThan(99.5);
  expect(now() - here).toBeLessThan(101);
});
