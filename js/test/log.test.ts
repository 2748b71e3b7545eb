import { describe, expect, it } from "vitest";
import { Painter } from "../src/kit/log/ansi.ts";
import { Filter } from "../src/kit/log/filter.ts";
import { LEVELS, Leveller } from "../src/kit/log/levels.ts";
import { LONGEST, plain, read } from "../src/kit/log/lines.ts";
import { Log, MOST_LINES } from "../src/kit/log/log.ts";
import { rankOf } from "../src/kit/log/rank.ts";
import { places, Search, toPattern } from "../src/kit/log/search.ts";
import { logBytes } from "./samples.ts";

function bytes(text: string): DataView {
  return new DataView(new TextEncoder().encode(text).buffer);
}

function toLines(bytes: DataView): string[] {
  return read(bytes, new Painter()).lines;
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

function word(text: string): RegExp {
  return toPattern(text, false) as RegExp;
}

function taken(text: string, times?: [number, number][]): Log {
  const log = new Log();
  log.take(0, [bytes(text)], 0, false, times);
  return log;
}

describe("colours", () => {
  it("are parts of a line with the names of styles that are known here", () => {
    const log = taken("a \x1b[1;31mred\x1b[0m b\nplain\n");
    expect(log.lines).toEqual(["a red b", "plain"]);
    expect(log.colours.get(0)).toEqual([
      { text: "a ", paint: "" },
      { text: "red", paint: "bold ansi-1" },
      { text: " b", paint: "" },
    ]);
    expect(log.colours.has(1)).toBe(false);
  });

  it("go on in the next line, and in the next piece, until they end", () => {
    const log = taken("\x1b[32mone\n");
    log.take(1, [bytes("two\x1b[39m!\nthree\n")], 3, true);
    expect(log.colours.get(1)).toEqual([
      { text: "two", paint: "ansi-2" },
      { text: "!", paint: "" },
    ]);
    expect(log.colours.has(2)).toBe(false);
  });

  it("of 256 and of 16 million are the nearest of the 16 that are read on any page", () => {
    const log = taken("\x1b[38;5;196ma\x1b[48;2;0;0;170mb\x1b[38:5:999999mc\x1b[999md\n");
    expect(log.colours.get(0)?.map((span) => span.paint)).toEqual([
      "ansi-1",
      "ansi-1 ansi-on-4",
      "ansi-15 ansi-on-4",
      "ansi-15 ansi-on-4",
    ]);
    expect(log.lines[0]).toBe("abcd");
  });

  it("let nothing else into the page", () => {
    const log = taken('\x1b[31m<img src=x onerror="alert(1)">\x1b]8;;javascript:alert(1)\x07x\x00\n');
    expect(
      log.colours
        .get(0)
        ?.map((span) => span.text)
        .join(""),
    ).toBe('<img src=x onerror="alert(1)">x\ufffd');
  });
});

describe("levels", () => {
  it("are told as kfnb's Python tells them", () => {
    const samples =
      Object.values(
        import.meta.glob<[string, string][]>("../../tests/views/golden/levels.json", {
          eager: true,
          import: "default",
        }),
      )[0] ?? [];
    const leveller = new Leveller();
    expect(samples.length).toBeGreaterThan(30);
    expect(samples.map(([line]) => [line, LEVELS[leveller.level(line)]])).toEqual(samples);
  });
});

describe("a filter", () => {
  const all = { level: 0, since: 0, only: null, rank: null };

  it("shows lines of a level at least, with what continues them", () => {
    const log = taken("INFO: a\nWARNING: b\n  c\nd\n");
    expect(new Filter({ ...all, level: 2 }, log).lines).toEqual([1, 2]);
  });

  it("shows lines with a word or a regular expression, and those that come", () => {
    const log = taken("loss=1\nx\n");
    const filter = new Filter({ ...all, only: toPattern("LOSS=\\d".toLowerCase(), true) }, log);
    log.take(2, [bytes("Loss=2\n")], 3, true);
    filter.update(log);
    expect(filter.lines).toEqual([0, 2]);
    expect(toPattern("(", true)).toBeNull();
    expect(toPattern("(", false)).not.toBeNull();
  });

  it("shows lines since a moment, where moments are known", () => {
    const log = taken("a\nb\nc\n", [
      [0, 100],
      [2, 200],
    ]);
    expect(new Filter({ ...all, since: 150 }, log).lines).toEqual([2]);
    expect(new Filter({ ...all, since: 300 }, log).lines).toEqual([]);
    expect(new Filter({ ...all, since: 150 }, taken("a\n")).lines).toEqual([0]);
  });

  it("shows what one rank of a training wrote, with the levels of its own lines", () => {
    const log = taken(
      "[rank 1] ERROR: a\n[rank 11] x\n[rank 0] b\n[rank 1]   at c\nrank 1 failed\n[rank 1] rank 0\n",
    );
    expect(new Filter({ ...all, rank: 1 }, log).lines).toEqual([0, 3, 5]);
    expect(new Filter({ ...all, rank: 1, level: 3 }, log).lines).toEqual([0, 3]);
    expect(new Filter({ ...all, rank: 1, only: toPattern("rank", false) }, log).lines).toEqual([5]);
    expect(rankOf("[rank 12] [rank 1] a")).toEqual([12, 10]);
    expect(rankOf("rank 1 failed")).toEqual([null, 0]);
  });

  it("begins anew when the log does", () => {
    const log = taken("ERROR: a\n");
    const filter = new Filter({ ...all, level: 3 }, log);
    log.take(0, [bytes("b\nERROR: c\n")], 2, true);
    filter.update(log);
    expect(filter.lines).toEqual([1]);
  });
});

describe("the search", () => {
  const log = new Log();
  log.add(5, ["Loss is loss", "nothing", "a LOSS"], 8, false);

  it("finds each place, whatever the case", () => {
    expect(new Search(word("loss"), log).matches).toEqual([5, 5, 7]);
    expect(places("Loss is loss", word("loss"))).toEqual([
      [0, 4],
      [8, 12],
    ]);
    expect(places("anything", toPattern("", false))).toEqual([]);
  });

  it("looks through new lines only, and forgets lost ones", () => {
    const growing = new Log();
    growing.add(0, ["x", "y"], 2, false);
    const search = new Search(word("x"), growing);
    growing.add(2, ["x x"], 3, false);
    search.update(growing);
    expect(search.matches).toEqual([0, 2, 2]);
    growing.add(9, ["x"], 10, false);
    search.update(growing);
    expect(search.matches).toEqual([9]);
  });
});
