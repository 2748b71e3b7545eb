/** Bytes of a log as lines to read. */

export const LONGEST = 10_000;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with one
const ANSI = /\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what acts on the page's text instead of being read
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: most lines have none of these, and are left alone
const ODD = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;

export function toLines(bytes: DataView): string[] {
  const text = new TextDecoder().decode(bytes);
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  const odd = ODD.test(text);
  return odd || text.length > LONGEST ? lines.map((line) => short(odd ? plain(line) : line)) : lines;
}

/** A line without a terminal's colours; of what was written over itself (a progress bar), the last. */
export function plain(line: string): string {
  if (!ODD.test(line)) return line;
  const parts = line.replace(ANSI, "").split("\r");
  const last = parts.findLast((part) => part !== "") ?? "";
  return last.replace(CONTROL, "\ufffd");
}

function short(line: string): string {
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
