/** What charts are drawn with: a canvas's context, its size, and the colours of the page's theme. */

/** The colours of trials by their classes, the worst first: as in kfnb/resources/studies/view/colors.py. */
export const RAMP = [
  { colour: "#848c98", opacity: 1, width: 0.9 },
  { colour: "#7c8aa6", opacity: 1, width: 1 },
  { colour: "#6b8bc6", opacity: 1, width: 1.1 },
  { colour: "#4f86e0", opacity: 1, width: 1.3 },
  { colour: "#2f81f7", opacity: 1, width: 1.7 },
] as const;

/** How trials are drawn that are not chosen, while others are. */
export const FAINT = { colour: "#7d858d", opacity: 0.12, width: 1 } as const;

const NAMES = ["ink", "soft", "line", "paper", "green", "red", "blue", "amber", "grey"] as const;
export type Colours = Record<(typeof NAMES)[number], string> & { font: string };

export interface Pen {
  ctx: CanvasRenderingContext2D;
  width: number;
  height: number;
  colours: Colours;
}

export type Place = readonly [x: number, y: number];

/** A pen for a canvas, which is wiped and given its size; null where nothing can be drawn. */
export function penFor(canvas: HTMLCanvasElement, width: number, height: number): Pen | null {
  const ctx = canvas.getContext?.("2d");
  if (!ctx || width <= 0) return null;
  const ratio = window.devicePixelRatio || 1;
  const [wide, tall] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== tall) {
    canvas.width = wide;
    canvas.height = tall;
  }
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  return { ctx, width, height, colours: coloursOf(canvas) };
}

function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const found = { font: style.fontFamily || "sans-serif" } as Colours;
  for (const name of NAMES) {
    const own = ["ink", "soft", "line", "paper"].includes(name) ? `--kfnb-${name}` : `--${name}`;
    found[name] = style.getPropertyValue(own).trim() || "#7d858d";
  }
  return found;
}

const TURN = 2 * Math.PI;

/** From that number on, discs are drawn as squares: ten times as fast, with no visible difference. */
const MANY = 1500;

/** Discs, all at once. */
export function dots(
  { ctx }: Pen,
  places: readonly Place[],
  colour: string,
  opacity: number,
  radius = 2.8,
): void {
  ctx.globalAlpha = opacity;
  ctx.fillStyle = colour;
  if (places.length > MANY) {
    const side = 1.7 * radius;
    for (const [x, y] of places) ctx.fillRect(x - side / 2, y - side / 2, side, side);
  } else {
    ctx.beginPath();
    for (const [x, y] of places) {
      ctx.moveTo(x + radius, y);
      ctx.arc(x, y, radius, 0, TURN);
    }
    ctx.fill();
  }
  ctx.globalAlpha = 1;
}

export function ring({ ctx }: Pen, [x, y]: Place, colour: string, radius = 5.5): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.8;
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, TURN);
  ctx.stroke();
}

/** Hollow diamonds: what was stopped early. */
export function diamonds({ ctx }: Pen, places: readonly Place[], colour: string, opacity = 1): void {
  ctx.globalAlpha = opacity;
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  for (const [x, y] of places) {
    ctx.moveTo(x, y - 3.6);
    ctx.lineTo(x + 3.6, y);
    ctx.lineTo(x, y + 3.6);
    ctx.lineTo(x - 3.6, y);
    ctx.closePath();
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

/** Crosses: what failed. */
export function crosses({ ctx }: Pen, places: readonly Place[], colour: string, opacity = 1): void {
  ctx.globalAlpha = opacity;
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.4;
  ctx.beginPath();
  for (const [x, y] of places) {
    ctx.moveTo(x - 3, y - 3);
    ctx.lineTo(x + 3, y + 3);
    ctx.moveTo(x + 3, y - 3);
    ctx.lineTo(x - 3, y + 3);
  }
  ctx.stroke();
  ctx.globalAlpha = 1;
}

export interface Stroke {
  colour: string;
  opacity: number;
  width: number;
}

/** Lines, all at once; null lifts the pen. */
export function lines({ ctx }: Pen, all: readonly (readonly (Place | null)[])[], stroke: Stroke): void {
  ctx.globalAlpha = stroke.opacity;
  ctx.strokeStyle = stroke.colour;
  ctx.lineWidth = stroke.width;
  ctx.lineJoin = "round";
  // many in one path would have to be joined before they are seen through: a few at a time is faster
  for (let first = 0; first < all.length; first += AT_ONCE) {
    ctx.beginPath();
    for (const line of all.slice(first, first + AT_ONCE)) trace(ctx, line);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

const AT_ONCE = 20;

function trace(ctx: CanvasRenderingContext2D, line: readonly (Place | null)[]): void {
  let down = false;
  for (const place of line) {
    if (place && down) ctx.lineTo(place[0], place[1]);
    else if (place) ctx.moveTo(place[0], place[1]);
    down = place !== null;
  }
}

/** Words, with a rim of paper around them where they cover something. */
export function words(pen: Pen, text: string, x: number, y: number, how: Partial<Words> = {}): void {
  const { ctx, colours } = pen;
  ctx.font = `${how.bold ? "600 " : ""}11px ${colours.font}`;
  ctx.textAlign = how.align ?? "left";
  ctx.textBaseline = "middle";
  if (how.rim) {
    ctx.strokeStyle = colours.paper;
    ctx.lineWidth = 4;
    ctx.lineJoin = "round";
    ctx.strokeText(text, x, y);
  }
  ctx.fillStyle = how.colour ?? colours.soft;
  ctx.fillText(text, x, y);
}

interface Words {
  align: CanvasTextAlign;
  colour: string;
  bold: boolean;
  rim: boolean;
}
