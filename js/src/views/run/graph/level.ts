/** The nodes of one group placed from (0, 0) on, and the ways of the edges between them. */
import { type Edge, forward, heights, layerNumbers, most, neighbours, sortLayers } from "./layers.ts";

export interface Size {
  width: number;
  height: number;
}

export interface Place extends Size {
  x: number;
  y: number;
}

export type Point = readonly [x: number, y: number];

/** An edge's way from point to point, level from an even one to the odd one after it, else in a curve. */
export interface Route {
  source: string;
  target: string;
  points: Point[];
}

export interface Level extends Size {
  places: Map<string, Place>;
  routes: Route[];
}

const COLUMN_GAP = 40;
const ROW_GAP = 18;
const STOP_HEIGHT = 4;
// for each node and edge, on the average
const MOST_STOPS = 10;

type Sizes = ReadonlyMap<string, Size>;
type Column = { left: number; right: number };

export function placeLevel(nodes: readonly string[], given: readonly Edge[], sizes: Sizes): Level {
  const [order, edges] = forward(nodes, given);
  const layer = layerNumbers(order, neighbours(order, edges));
  const ways = waysOf(edges, layer);
  const layers = stand(layer, edges, ways);
  const around = neighbours(layers.flat(), hops(edges, ways));
  sortLayers(layers, around);
  const tall = new Map(layers.flat().map((node) => [node, sizes.get(node)?.height ?? STOP_HEIGHT]));
  const middle = toTop(heights(layers, tall, ROW_GAP, around), tall);
  const columns = columnsOf(layers, sizes);
  const places = new Map<string, Place>();
  for (const node of order) {
    const size = sizes.get(node) ?? { width: 0, height: 0 };
    const x = columns[layer.get(node) ?? 0]?.left ?? 0;
    places.set(node, { x, y: (middle.get(node) ?? 0) - size.height / 2, ...size });
  }
  const routes = edges.map((edge, index) => {
    const points = route(edge, ways[index] ?? [], { layer, middle, columns, places });
    return { source: edge[0], target: edge[1], points };
  });
  const height = most(
    [...middle].map(([node, at]) => at + (tall.get(node) ?? 0) / 2),
    0,
  );
  return { places, routes, width: columns.at(-1)?.right ?? 0, height };
}

/**
 * Each edge's stops in the layers that it passes, shared by all edges of one source. Where a graph would need a
 * great many, the longest edges get none, and run straight over what is between.
 */
function waysOf(edges: readonly Edge[], layer: Map<string, number>): string[][] {
  const number = (node: string) => layer.get(node) ?? 0;
  const ways: string[][] = edges.map(() => []);
  const lengths = edges.map(([source, target]) => number(target) - number(source) - 1);
  const byLength = [...edges.keys()].sort((one, other) => (lengths[one] ?? 0) - (lengths[other] ?? 0));
  let room = MOST_STOPS * (layer.size + edges.length);
  for (const index of byLength) {
    const [source] = edges[index] ?? ["", ""];
    const length = lengths[index] ?? 0;
    room -= length;
    // no node's key holds a NUL
    if (room >= 0) ways[index] = Array.from({ length }, (_, hop) => `${source}\0${number(source) + hop + 1}`);
  }
  return ways;
}

function hops(edges: readonly Edge[], ways: readonly string[][]): Edge[] {
  const seen = new Map<string, Edge>();
  edges.forEach(([source, target], index) => {
    const stations = [source, ...(ways[index] ?? []), target];
    for (let at = 1; at < stations.length; at++) {
      const hop = [stations[at - 1] ?? "", stations[at] ?? ""] as const;
      seen.set(hop.join("\0\0"), hop);
    }
  });
  return [...seen.values()];
}

/** The nodes and stops of each layer. */
function stand(layer: Map<string, number>, edges: readonly Edge[], ways: readonly string[][]): string[][] {
  const ranking = new Map(layer);
  edges.forEach(([source], index) => {
    ways[index]?.forEach((stop, hop) => {
      ranking.set(stop, (layer.get(source) ?? 0) + hop + 1);
    });
  });
  const layers: string[][] = Array.from({ length: most(ranking.values(), -1) + 1 }, () => []);
  for (const [node, number] of ranking) layers[number]?.push(node);
  return layers;
}

/** The same heights, the highest of all nodes at 0. */
function toTop(middle: Map<string, number>, tall: Map<string, number>): Map<string, number> {
  const tops = [...middle].map(([node, at]) => at - (tall.get(node) ?? 0) / 2);
  const top = tops.reduce((least, one) => Math.min(least, one), Infinity);
  return new Map([...middle].map(([node, at]) => [node, at - top]));
}

function columnsOf(layers: readonly string[][], sizes: Sizes): Column[] {
  let left = 0;
  return layers.map((nodes) => {
    const column = {
      left,
      right:
        left +
        most(
          nodes.map((node) => sizes.get(node)?.width ?? 0),
          0,
        ),
    };
    left = column.right + COLUMN_GAP;
    return column;
  });
}

interface Ranking {
  layer: Map<string, number>;
  middle: Map<string, number>;
  columns: Column[];
  places: Map<string, Place>;
}

function route([source, target]: Edge, way: readonly string[], ranking: Ranking): Point[] {
  const { layer, middle, columns, places } = ranking;
  const start = places.get(source);
  const end = places.get(target);
  if (!start || !end) return [];
  const first = layer.get(source) ?? 0;
  const level = middle.get(source) ?? 0;
  const points: Point[] = [
    [start.x + start.width, level],
    [columns[first]?.right ?? start.x + start.width, level],
  ];
  way.forEach((stop, hop) => {
    const column = columns[first + hop + 1];
    const at = middle.get(stop) ?? 0;
    if (column) points.push([column.left, at], [column.right, at]);
  });
  points.push([end.x, middle.get(target) ?? 0]);
  return points;
}
