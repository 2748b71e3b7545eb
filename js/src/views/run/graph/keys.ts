/** The graph by the keyboard: arrows go along its edges and from one to its neighbour. */
import type { RunStore } from "../store.ts";
import type { Layout } from "./arrange.ts";
import type { Place } from "./level.ts";
import type { Stage } from "./stage.ts";

const STEP = 1.25;

/** Do what a key asks for; false if it asks for nothing. */
export function act(key: string, store: RunStore, stage: Stage): boolean {
  const layout = stage.layout.peek();
  const at = stage.focus.peek();
  const stack = store.fold.peek()?.stacks.get(at);
  if (key === "+" || key === "=") stage.zoom(STEP);
  else if (key === "-") stage.zoom(1 / STEP);
  else if (key === "0") stage.fit();
  else if (key === "Home") go(first(layout), stage);
  else if (key === "f" || ((key === "Enter" || key === " ") && stack?.group)) fold(at, store, stage);
  else if (key === "Enter" || key === " ") store.view.show(at);
  else if (key.startsWith("Arrow")) go(next(key, at, layout), stage);
  else return false;
  return true;
}

export function first(layout: Layout): string {
  return layout.places.keys().next().value ?? "";
}

/** Fold the group, or the one that the task is in. */
function fold(key: string, store: RunStore, stage: Stage): void {
  const stack = store.fold.peek()?.stacks.get(key);
  const group = stack?.group ? stack : stack?.parent;
  if (!group) return;
  store.view.fold(group.key);
  go(group.key, stage);
}

function go(key: string, stage: Stage): void {
  const place = stage.layout.peek().places.get(key);
  if (!place) return;
  stage.focus.value = key;
  stage.reveal(place);
}

export function next(key: string, at: string, layout: Layout): string {
  const place = layout.places.get(at);
  if (!place) return first(layout);
  if (key === "ArrowRight") return inside(at, layout) ?? following(at, layout) ?? at;
  if (key === "ArrowLeft") return nearest(layout, place, sources(at, layout)) ?? above(at, layout) ?? at;
  return beside(key === "ArrowDown" ? 1 : -1, at, place, layout) ?? at;
}

/** The first node in an open group. */
function inside(at: string, layout: Layout): string | undefined {
  const children = [...layout.places].filter(([key]) => above(key, layout) === at);
  children.sort(([, one], [, other]) => one.x - other.x || one.y - other.y);
  return children[0]?.[0];
}

/** What comes after a node, or else after the group that it is in. */
function following(at: string, layout: Layout): string | undefined {
  for (let key: string | undefined = at; key !== undefined; key = above(key, layout)) {
    const targets = layout.routes.filter((route) => route.source === key).map((route) => route.target);
    const place = layout.places.get(at);
    const found = place && nearest(layout, place, targets);
    if (found) return found;
  }
  return undefined;
}

function sources(at: string, layout: Layout): string[] {
  return layout.routes.filter((route) => route.target === at).map((route) => route.source);
}

/** The node that is next above or below; one in another column counts as farther away. */
function beside(direction: number, at: string, place: Place, layout: Layout): string | undefined {
  let best: string | undefined;
  let least = Infinity;
  for (const [key, other] of layout.places) {
    const down = (other.y - place.y) * direction;
    const across = Math.abs(other.x - place.x);
    const distance = down + 3 * across;
    if (key !== at && down > 0 && distance < least) [best, least] = [key, distance];
  }
  return best;
}

/** The node in the nearest column, so that no step between is passed; of several there, the nearest in height. */
function nearest(layout: Layout, from: Place, keys: readonly string[]): string | undefined {
  const across = (key: string) => Math.abs((layout.places.get(key)?.x ?? Infinity) - from.x);
  const away = (key: string) => Math.abs(middle(layout.places.get(key)) - middle(from));
  return [...keys].sort((one, other) => across(one) - across(other) || away(one) - away(other))[0];
}

function middle(place: Place | undefined): number {
  return place ? place.y + place.height / 2 : Infinity;
}

function above(key: string, layout: Layout): string | undefined {
  const parent = key.slice(0, Math.max(0, key.lastIndexOf("/")));
  return layout.places.has(parent) ? parent : undefined;
}
