/** Bytes of a log as lines to read. */
import type { Painter, Span } from "./ansi.ts";

export const LONGEST = 10_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal acts on begins with one
const ESCAPES = /\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours, which are shown
const COLOUR = /^\x1b\[[0-9;:]*m$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what acts on the page's text instead of being read
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: most lines have none of these, and are left alone
const ODD = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

/** Lines to read, and of those with colours, by their place among them, the parts. */
export interface Read {
  lines: string[];
  colours: Map<number, Span[]>;
}

/** The lines in some bytes; `painter` has read those before. */
export function read(bytes: DataView, painter: Painter): Read {
  const text = new TextDecoder().decode(bytes);
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  const colours = new Map<number, Span[]>();
  if (!ODD.test(text) && painter.plain)
    return { lines: text.length > LONGEST ? lines.map(short) : lines, colours };
  const shown = lines.map((line, at) => {
    const spans = painter.spans(steady(line)).map(({ text, paint }) => ({ text: safe(text), paint }));
    const plain = spans.map((span) => span.text).join("");
    if (plain.length <= LONGEST && spans.some((span) => span.paint)) colours.set(at, spans);
    return short(plain);
  });
  return { lines: shown, colours };
}

/** A line without a terminal's colours; of what was written over itself (a progress bar), the last. */
export function plain(line: string): string {
  return ODD.test(line) ? safe(last(line).replace(ESCAPES, "")) : line;
}

/** What is left of a line that was written over, with its colours alone. */
function steady(line: string): string {
  return ODD.test(line) ? last(line).replace(ESCAPES, (found) => (COLOUR.test(found) ? found : "")) : line;
}

function last(line: string): string {
  return line.includes("\r")
    ? (line.split("\r").findLast((part) => part.replace(ESCAPES, "") !== "") ?? "")
    : line;
}

function safe(text: string): string {
  return text.replace(CONTROL, "\ufffd");
}

function short(line: string): string {
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
