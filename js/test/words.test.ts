import { describe, expect, it } from "vitest";
import { webAddress } from "../src/kit/address.ts";
import { count, overall, styleOf, tally } from "../src/kit/states.ts";
import { duration, many } from "../src/kit/words.ts";
import { ticks } from "../src/views/run/timeline/axis.ts";

describe("words", () => {
  it("say durations as the static form does", () => {
    const said = [null, 0.04, 9.94, 9.96, 59.7, 185, 7810, 4 * 86400 + 3 * 3600].map(duration);
    expect(said).toEqual(["", "0.0 s", "9.9 s", "10 s", "1 min 00 s", "3 min 05 s", "2 h 10 min", "4 d 3 h"]);
  });

  it("count", () => {
    expect([many(1, "task"), many(2000, "line")]).toEqual(["1 task", "2,000 lines"]);
  });

  it("say several states as one, and how many are in which", () => {
    expect(overall(count(["SUCCEEDED", "FAILED"]))).toBe("FAILED");
    expect(overall(count(["SUCCEEDED", "PENDING"]))).toBe("RUNNING");
    expect(overall(count(["SKIPPED"]))).toBe("SKIPPED");
    expect(tally(count(["FAILED", "SUCCEEDED", "SUCCEEDED"]))).toBe("2 Succeeded, 1 Failed");
  });

  it("show a state that only a newer kernel knows by its own word", () => {
    expect(styleOf("RESTING" as never).word).toBe("RESTING");
  });

  it("open only the web's addresses", () => {
    expect(webAddress("https://kf.example/runs/1")).toBe("https://kf.example/runs/1");
    for (const bad of ["javascript:alert(1)", "data:text/html,x", "", "//x", "file:///etc/passwd"])
      expect(webAddress(bad)).toBe("");
  });
});

describe("the timeline's axis", () => {
  it("has round steps, and not too many", () => {
    expect(ticks(42, 7).map(({ text }) => text)).toEqual(["0", "10 s", "20 s", "30 s", "40 s"]);
    expect(ticks(400, 7).map(({ text }) => text)).toEqual([
      "0",
      "1 min",
      "2 min",
      "3 min",
      "4 min",
      "5 min",
      "6 min",
    ]);
    expect(ticks(8 * 86400, 7).length).toBeLessThanOrEqual(8);
  });
});
