/** A terminal's colours as names of styles: only those that are known here ever reach the page. */

/** A part of a line, and the names of its styles (styles/log.css), empty for none. */
export interface Span {
  text: string;
  paint: string;
}

interface State {
  fore: number;
  back: number;
  marks: ReadonlySet<string>;
}

const NONE = -1;
const MARKS: Record<number, string> = {
  1: "bold",
  2: "dim",
  3: "italic",
  4: "under",
  7: "inverse",
  9: "struck",
};
const ENDS: Record<number, string[]> = {
  ...{ 22: ["bold", "dim"], 23: ["italic"], 24: ["under"], 27: ["inverse"], 29: ["struck"] },
};
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours begin with one
const COLOUR = /\x1b\[([0-9;:]*)m/g;
const SIXTEEN = [
  ...[0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa],
  ...[0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff],
].map(parts);

/** Reads lines with colours, one after the other: a colour that a line does not end continues in the next. */
export class Painter {
  #state: State = start();

  get plain(): boolean {
    return this.#state.fore === NONE && this.#state.back === NONE && !this.#state.marks.size;
  }

  /** The parts of a line, of which all but colours were taken out before. */
  spans(line: string): Span[] {
    const spans: Span[] = [];
    let last = 0;
    for (const found of line.matchAll(COLOUR)) {
      put(spans, line.slice(last, found.index), this.#state);
      this.#state = changed(this.#state, (found[1] ?? "").split(/[;:]/).map(Number));
      last = found.index + found[0].length;
    }
    put(spans, line.slice(last), this.#state);
    return spans;
  }
}

function put(spans: Span[], text: string, state: State): void {
  if (text) spans.push({ text, paint: paint(state) });
}

function start(): State {
  return { fore: NONE, back: NONE, marks: new Set() };
}

function paint({ fore, back, marks }: State): string {
  const names = [...marks];
  if (fore !== NONE) names.push(`ansi-${fore}`);
  if (back !== NONE) names.push(`ansi-on-${back % 8}`);
  return names.join(" ");
}

function changed(state: State, codes: number[]): State {
  let { fore, back } = state;
  let marks = new Set(state.marks);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    const mark = MARKS[code];
    if (code === 0) [fore, back, marks] = [NONE, NONE, new Set()];
    else if (mark) marks.add(mark);
    else if (ENDS[code]) for (const name of ENDS[code]) marks.delete(name);
    else if (code === 39) fore = NONE;
    else if (code === 49) back = NONE;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(at + 1));
      if (code === 38) fore = colour;
      else back = colour;
      at += used;
    } else if (code >= 30 && code < 38) fore = code - 30;
    else if (code >= 40 && code < 48) back = code - 40;
    else if (code >= 90 && code < 98) fore = code - 82;
    else if (code >= 100 && code < 108) back = code - 92;
  }
  return { fore, back, marks };
}

/** The nearest of the 16 colours, which are to be read on any page, and the number of codes read. */
function extended([kind, ...rest]: number[]): [colour: number, used: number] {
  if (kind === 5) return [ofCube(rest[0] ?? 0), 2];
  if (kind === 2) return [nearest([rest[0] ?? 0, rest[1] ?? 0, rest[2] ?? 0]), 4];
  return [NONE, 1];
}

function ofCube(number: number): number {
  if (number < 16) return number;
  if (number >= 232) {
    const grey = 8 + 10 * (number - 232);
    return nearest([grey, grey, grey]);
  }
  const cube = number - 16;
  const step = (digit: number) => (digit ? 55 + 40 * digit : 0);
  return nearest([step(Math.floor(cube / 36)), step(Math.floor(cube / 6) % 6), step(cube % 6)]);
}

function nearest(colour: number[]): number {
  const far = SIXTEEN.map((one) => one.reduce((sum, part, at) => sum + (part - (colour[at] ?? 0)) ** 2, 0));
  return far.indexOf(Math.min(...far));
}

function parts(colour: number): number[] {
  return [colour >> 16, (colour >> 8) & 255, colour & 255];
}
