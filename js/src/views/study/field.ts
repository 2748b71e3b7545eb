import { type Pen, type Place, words } from "./draw.ts";
import type { Scale, Tick } from "./scale.ts";

const TOP = 10;
const RIGHT = 18;
const BOTTOM = 36;
const CHARACTER = 6.2;
const NARROWEST = 26;
const WIDEST = 80;
const NEAR = 12;

interface Names {
  x: string;
  y: string;
}

/** The area between two axes. */
export class Field {
  readonly left: number;

  constructor(
    readonly x: Scale,
    readonly y: Scale,
    readonly names: Names,
    readonly width: number,
    readonly height: number,
  ) {
    const longest = y.ticks.reduce((most, { text }) => Math.max(most, text.length), 0);
    this.left = 12 + Math.min(WIDEST, Math.max(NARROWEST, longest * CHARACTER)) + (names.y ? 14 : 0);
  }

  get wide(): number {
    return Math.max(10, this.width - this.left - RIGHT);
  }

  get tall(): number {
    return this.height - TOP - BOTTOM;
  }

  /** Where two places on the axes meet. */
  at(x: number, y: number): Place {
    return [this.left + x * this.wide, TOP + (1 - y) * this.tall];
  }

  /** The grid and the words around it. */
  frame(pen: Pen): void {
    const { ctx, colours } = pen;
    ctx.strokeStyle = colours.line;
    ctx.globalAlpha = 0.6;
    ctx.lineWidth = 1;
    ctx.beginPath();
    for (const { at } of [...this.y.ticks, { at: 0 }]) {
      const [x, y] = this.at(0, at);
      ctx.moveTo(x, Math.round(y) + 0.5);
      ctx.lineTo(x + this.wide, Math.round(y) + 0.5);
    }
    ctx.stroke();
    ctx.globalAlpha = 1;
    for (const { at, text } of this.y.ticks) {
      const [x, y] = this.at(0, at);
      words(pen, text, x - 6, y, { align: "right" });
    }
    const bottom = TOP + this.tall;
    for (const { at, text } of apart(this.x.ticks, this.wide))
      words(pen, text, this.at(at, 0)[0], bottom + 11, { align: "center" });
    const name = this.names.x + (this.x.log ? " (log scale)" : "");
    words(pen, name, this.left + this.wide / 2, bottom + 27, { align: "center" });
    if (this.names.y) this.#side(pen);
  }

  #side(pen: Pen): void {
    pen.ctx.save();
    pen.ctx.translate(8, TOP + this.tall / 2);
    pen.ctx.rotate(-Math.PI / 2);
    words(pen, this.names.y + (this.y.log ? " (log scale)" : ""), 0, 0, { align: "center" });
    pen.ctx.restore();
  }
}

/** Those ticks whose words do not run into each other. */
function apart(ticks: readonly Tick[], wide: number): Tick[] {
  let end = Number.NEGATIVE_INFINITY;
  return ticks.filter(({ at, text }) => {
    const half = (text.length * CHARACTER) / 2 + 4;
    if (at * wide - half < end) return false;
    end = at * wide + half;
    return true;
  });
}

/** The nearest of some places, if one is near: its value; else `none`. */
export function nearest<Of>(
  places: readonly { place: Place; of: Of }[],
  x: number,
  y: number,
  none: Of,
  near = NEAR,
): Of {
  let least = near * near;
  let found = none;
  for (const { place, of } of places) {
    const distance = (place[0] - x) ** 2 + (place[1] - y) ** 2;
    if (distance < least) {
      least = distance;
      found = of;
    }
  }
  return found;
}
