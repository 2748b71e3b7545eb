import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Camera, View } from "../view.ts";
import type { Layout } from "./arrange.ts";
import type { Place, Size } from "./level.ts";

export const MARGIN = 14;
const LEAST_SCALE = 0.02;
const MOST_SCALE = 2.5;
// the smallest scale at which words can be read: captions of 11 pixels are of 10 then
const READABLE = 0.9;
const LOWEST = 120;
// the buttons' own strip
const STRIP = 26;
const HIGHEST = 460;

/** What of a graph is to be seen, and where. Screen = world * scale + corner. */
export class Stage {
  /** The area's size in the page; 0 wide until it is measured. */
  readonly size = signal<Size>({ width: 0, height: 0 });
  /** The node that the keyboard is at, and the one (or the edge) that is pointed at. */
  readonly focus = signal("");
  readonly lit = signal("");
  readonly camera: ReadonlySignal<Camera>;
  readonly height: ReadonlySignal<number>;

  constructor(
    readonly view: View,
    readonly layout: ReadonlySignal<Layout>,
  ) {
    this.height = computed(() => {
      const ideal = this.layout.value.height * this.#startScale + 2 * MARGIN + STRIP;
      return Math.round(Math.min(Math.max(ideal, LOWEST), HIGHEST));
    });
    this.camera = computed(() => this.view.camera.value ?? this.#start());
  }

  /** The upper left corner; of a graph that is taller than the area, where its first node is. */
  #start(): Camera {
    const scale = this.#startScale;
    const room = this.size.value.height - this.layout.value.height * scale - 2 * MARGIN;
    const first = leftmost(this.layout.value);
    const ideal = first ? this.size.value.height / 2 - (first.y + first.height / 2) * scale : MARGIN;
    return { x: MARGIN, y: Math.max(Math.min(MARGIN, ideal), Math.min(MARGIN, room)), scale };
  }

  /** So small that the graph's width fits, and not smaller than can be read. */
  get #startScale(): number {
    return Math.min(1, Math.max(READABLE, this.#scaleOf("width")));
  }

  fit(): void {
    const scale = Math.max(LEAST_SCALE, Math.min(1, this.#scaleOf("width"), this.#scaleOf("height")));
    const room = this.size.peek().height - this.layout.peek().height * scale;
    this.view.camera.value = { x: MARGIN, y: Math.max(MARGIN, room / 2), scale };
  }

  pan(dx: number, dy: number): void {
    const { x, y, scale } = this.camera.peek();
    this.view.camera.value = { x: x + dx, y: y + dy, scale };
  }

  /** Zoom around a point of the area; its middle if none is given. */
  zoom(factor: number, atX = this.size.peek().width / 2, atY = this.size.peek().height / 2): void {
    const { x, y, scale } = this.camera.peek();
    const next = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale * factor));
    const by = next / scale;
    this.view.camera.value = { x: atX - (atX - x) * by, y: atY - (atY - y) * by, scale: next };
  }

  /** Move as far as it takes to see a place. */
  reveal(place: Place): void {
    const { x, y, scale } = this.camera.peek();
    const { width, height } = this.size.peek();
    const dx = shift(place.x * scale + x, Math.min(place.width * scale, width), width);
    const dy = shift(place.y * scale + y, Math.min(place.height * scale, height), height);
    if (dx || dy) this.pan(dx, dy);
  }

  /** What of the world can be seen, with half as much again on each side. */
  seen(): Place {
    const { x, y, scale } = this.camera.value;
    const { width, height } = this.size.value;
    const [wide, tall] = [width / scale, height / scale];
    return { x: -x / scale - wide / 2, y: -y / scale - tall / 2, width: 2 * wide, height: 2 * tall };
  }

  #scaleOf(side: "width" | "height"): number {
    const room = this.size.value[side] - 2 * MARGIN;
    const whole = this.layout.value[side];
    return room > 0 && whole > 0 ? room / whole : 1;
  }
}

function leftmost({ places }: Layout): Place | undefined {
  let first: Place | undefined;
  for (const place of places.values())
    if (!first || place.x < first.x || (place.x === first.x && place.y < first.y)) first = place;
  return first;
}

function shift(start: number, length: number, room: number): number {
  if (start < MARGIN) return MARGIN - start;
  if (start + length > room - MARGIN) return Math.min(room - MARGIN - start - length, 0) || 0;
  return 0;
}
