/** Where the nodes of a graph stand: each group is laid out by itself, innermost first, then taken for one box. */

import { type Edge, most } from "./layers.ts";
import { type Level, type Place, placeLevel, type Route, type Size } from "./level.ts";

export interface Box extends Size {
  key: string;
  /** The siblings that it waits for, by key. */
  needs: readonly string[];
  children: readonly Box[];
}

export interface Layout extends Size {
  places: Map<string, Place>;
  routes: Route[];
}

export const PADDING = 14;
export const HEADER = 30;

export function arrange(boxes: readonly Box[]): Layout {
  const layout: Layout = { places: new Map(), routes: [], width: 0, height: 0 };
  const level = inside(boxes);
  put(level, 0, 0, layout);
  layout.width = level.width;
  layout.height = level.height;
  return layout;
}

interface Inside extends Level {
  groups: Map<string, Inside>;
}

function inside(boxes: readonly Box[]): Inside {
  const groups = new Map<string, Inside>();
  const sizes = new Map<string, Size>();
  for (const box of boxes) {
    if (box.children.length) groups.set(box.key, inside(box.children));
    sizes.set(box.key, around(box, groups.get(box.key)));
  }
  const keys = boxes.map((box) => box.key);
  return { ...placeLevel(keys, edgesOf(boxes), sizes), groups };
}

function edgesOf(boxes: readonly Box[]): Edge[] {
  const known = new Set(boxes.map((box) => box.key));
  return boxes.flatMap((box) =>
    box.needs.filter((need) => known.has(need) && need !== box.key).map((need) => [need, box.key] as const),
  );
}

function around(box: Box, level: Inside | undefined): Size {
  if (!level) return { width: box.width, height: box.height };
  return {
    width: most([level.width + 2 * PADDING], box.width),
    height: level.height + HEADER + PADDING,
  };
}

function put(level: Inside, x: number, y: number, layout: Layout): void {
  for (const [key, place] of level.places) {
    const placed = { ...place, x: place.x + x, y: place.y + y };
    layout.places.set(key, placed);
    const group = level.groups.get(key);
    if (group) put(group, placed.x + PADDING, placed.y + HEADER, layout);
  }
  for (const { source, target, points } of level.routes)
    layout.routes.push({ source, target, points: points.map(([px, py]) => [px + x, py + y] as const) });
}
