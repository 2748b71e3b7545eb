/** The colours of a log are read in a light and in a dark page: WCAG AA asks for 4.5. */
import { describe, expect, it } from "vitest";
import css from "../src/kit/styles/log.css?raw";

type Colour = [number, number, number];

const PAGES: [name: string, ink: Colour, paper: Colour][] = [
  ["JupyterLab's light page", [33, 33, 33], [255, 255, 255]],
  ["JupyterLab's dark page", [222, 222, 222], [17, 17, 17]],
  ["a page of GitHub's", [31, 35, 40], [255, 255, 255]],
];
const HAZE: [Colour, number] = [[128, 136, 150], 0.07];
const FORE = /\.ansi-(\d+) \{\s*color: color-mix\(in srgb, #(\w{6}) (\d+)%, var\(--kfnb-ink\)\)/g;
const BACK = /\.ansi-on-(\d+) \{\s*background: color-mix\(in srgb, #(\w{6}) (\d+)%, transparent\)/g;

describe("a log's colours", () => {
  const fore = [...css.matchAll(FORE)];
  const back = [...css.matchAll(BACK)];

  it("are sixteen, and eight behind the text", () => {
    expect([fore.length, back.length]).toEqual([16, 8]);
  });

  it.each(PAGES)("are read on %s, and its ink on each of those behind the text", (_, ink, paper) => {
    const ground = mix(HAZE[0], paper, HAZE[1]);
    const grounds = [ground, ...back.map(([, , hue, share]) => mix(hex(hue), ground, Number(share) / 100))];
    const inks = [ink, ...fore.map(([, , hue, share]) => mix(hex(hue), ink, Number(share) / 100))];
    const worst = Math.min(...inks.map((one) => contrast(one, ground)));
    expect(worst).toBeGreaterThanOrEqual(4.5);
    expect(Math.min(...grounds.map((one) => contrast(ink, one)))).toBeGreaterThanOrEqual(4.5);
  });
});

function hex(text = ""): Colour {
  const number = Number.parseInt(text, 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

function mix(one: Colour, other: Colour, share: number): Colour {
  return one.map((part, at) => part * share + (other[at] ?? 0) * (1 - share)) as Colour;
}

function contrast(one: Colour, other: Colour): number {
  const [low = 0, high = 0] = [light(one), light(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function light(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
