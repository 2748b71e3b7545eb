import { describe, expect, it } from "vitest";
import { LONGEST, plain, toLines } from "../src/log/lines.ts";
import { Log, MOST_LINES } from "../src/log/log.ts";
import { places, Search } from "../src/log/search.ts";
import { logBytes } from "./samples.ts";

function bytes(text: string): DataView {
  return new DataView(new TextEncoder().encode(text).buffer);
}

describe("a log's lines", () => {
  it("are as they were written, empty ones too", () => {
    expect(toLines(bytes("a\n\n  b\n"))).toEqual(["a", "", "  b"]);
    expect(toLines(bytes(""))).toEqual([]);
  });

  it("lose a terminal's colours and titles", () => {
    expect(plain("\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain")).toBe("red and plain");
  });

  it("keep the last of what was written over itself", () => {
    expect(toLines(bytes(" 10%\r 50%\r100%\r\ndone\r\n"))).toEqual(["100%", "done"]);
  });

  it("show what would act on the page's text as a sign", () => {
    expect(plain("a\x00b\u202ec\td")).toBe("a\ufffdb\ufffdc\td");
  });

  it("are cut where no one would read on", () => {
    expect(toLines(bytes(`${"x".repeat(LONGEST + 5)}\n`))[0]).toHaveLength(LONGEST + 1);
  });

  it("survive bytes that are no UTF-8", () => {
    expect(toLines(new DataView(new Uint8Array([0x61, 0xff, 0x0a]).buffer))).toEqual(["a\ufffd"]);
  });
});

describe("a log", () => {
  it("goes on where it was, and replaces what comes again", () => {
    const log = new Log();
    log.add(0, ["a", "b"], 2, false);
    log.add(2, ["c"], 3, false);
    log.add(1, ["B", "C", "D"], 4, true);
    expect(log.lines).toEqual(["a", "B", "C", "D"]);
    expect(log).toMatchObject({ total: 4, ended: true, first: 0 });
  });

  it("begins anew after a gap", () => {
    const log = new Log();
    log.add(0, ["a"], 1, false);
    log.add(10, ["k"], 11, false);
    expect(log).toMatchObject({ first: 10, lines: ["k"], total: 11 });
    expect(log.line(10)).toBe("k");
  });

  it("keeps only the last lines", () => {
    const log = new Log();
    for (let at = 0; at < MOST_LINES * 2; at += 50_000)
      log.add(at, toLines(logBytes(at, 50_000)), at + 50_000, false);
    expect(log.lines.length).toBeLessThanOrEqual(MOST_LINES + 20_000);
    expect(log.end).toBe(MOST_LINES * 2);
    expect(log.line(MOST_LINES * 2 - 1)).toContain(`step ${MOST_LINES * 2 - 1} `);
  });
});

describe("the search", () => {
  const log = new Log();
  log.add(5, ["Loss is loss", "nothing", "a LOSS"], 8, false);

  it("finds each place, whatever the case", () => {
    expect(new Search("loss", log).matches).toEqual([5, 5, 7]);
    expect(places("Loss is loss", "loss")).toEqual([0, 8]);
    expect(places("anything", "")).toEqual([]);
  });

  it("looks through new lines only, and forgets lost ones", () => {
    const growing = new Log();
    growing.add(0, ["x", "y"], 2, false);
    const search = new Search("x", growing);
    growing.add(2, ["x x"], 3, false);
    search.update(growing);
    expect(search.matches).toEqual([0, 2, 2]);
    growing.add(9, ["x"], 10, false);
    search.update(growing);
    expect(search.matches).toEqual([9]);
  });
});
