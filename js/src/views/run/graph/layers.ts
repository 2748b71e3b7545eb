/**
 * One level of a graph in layers: the layer of each node, its rank there, and its height.
 *
 * The same method as kfnb/ui/graph/layering.py, so that the live view is where the static one was: layers
 * by longest path, edges over several layers led through separate stops, order by barycenters, then heights that
 * pull neighbours level.
 */

export type Edge = readonly [source: string, target: string];
export type Links = Map<string, string[]>;

const SWEEPS = 4;

export interface Neighbours {
  before: Links;
  after: Links;
}

export function neighbours(nodes: Iterable<string>, edges: Iterable<Edge>): Neighbours {
  const before: Links = new Map();
  const after: Links = new Map();
  for (const node of nodes) {
    before.set(node, []);
    after.set(node, []);
  }
  for (const [source, target] of edges) {
    before.get(target)?.push(source);
    after.get(source)?.push(target);
  }
  return { before, after };
}

/** The nodes in an order that all edges follow, and those edges; one that closes a cycle is left out. */
export function forward(nodes: readonly string[], edges: readonly Edge[]): [string[], Edge[]] {
  const { before, after } = neighbours(nodes, edges);
  const waiting = new Map(nodes.map((node) => [node, before.get(node)?.length ?? 0]));
  const ready = nodes.filter((node) => !waiting.get(node));
  const order = new Map<string, number>();
  let next = 0;
  for (let at = 0; order.size < waiting.size; ) {
    const node = at < ready.length ? ready[at++] : nodes[next++];
    if (node === undefined || order.has(node)) continue;
    order.set(node, order.size);
    for (const following of after.get(node) ?? []) {
      const left = (waiting.get(following) ?? 0) - 1;
      waiting.set(following, left);
      if (!left) ready.push(following);
    }
  }
  const place = (node: string) => order.get(node) ?? 0;
  return [[...order.keys()], edges.filter(([source, target]) => place(source) < place(target))];
}

/** Each node one layer after the last that it needs; what needs nothing, right before its first use. */
export function layerNumbers(order: readonly string[], { before, after }: Neighbours): Map<string, number> {
  const layers = new Map<string, number>();
  const layer = (node: string) => layers.get(node) ?? 0;
  for (const node of order)
    layers.set(
      node,
      most(
        (before.get(node) ?? []).map((one) => layer(one) + 1),
        0,
      ),
    );
  for (const node of order.toReversed()) {
    const following = after.get(node) ?? [];
    if (!before.get(node)?.length && following.length)
      layers.set(node, following.reduce((least, one) => Math.min(least, layer(one)), Infinity) - 1);
  }
  return layers;
}

/** Order each layer, in place, by where its neighbours stand, so that few edges cross. */
export function sortLayers(layers: string[][], { before, after }: Neighbours): void {
  const place = new Map<string, number>();
  const number = (nodes: string[]) => {
    nodes.forEach((node, index) => {
      place.set(node, index);
    });
  };
  layers.forEach(number);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const [links, path] = sweep % 2 ? [after, layers.toReversed()] : [before, layers];
    for (const nodes of path) {
      const ideal = new Map(nodes.map((node) => [node, mean(links.get(node), place, place.get(node) ?? 0)]));
      nodes.sort((one, other) => (ideal.get(one) ?? 0) - (ideal.get(other) ?? 0));
      number(nodes);
    }
  }
}

/** The height of each node's middle: near its neighbours', in its layer's order, `gap` between two. */
export function heights(
  layers: readonly string[][],
  tall: ReadonlyMap<string, number>,
  gap: number,
  { before, after }: Neighbours,
): Map<string, number> {
  const middle = new Map<string, number>();
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const [links, path] = sweep % 2 ? [after, layers.toReversed()] : [before, layers];
    for (const nodes of path) {
      const ideal = nodes.map((node) => mean(links.get(node), middle, middle.get(node) ?? 0));
      const half = nodes.map((node) => (tall.get(node) ?? 0) / 2);
      const apart = half.slice(1).map((own, index) => own + (half[index] ?? 0) + gap);
      const placed = spread(ideal, apart);
      nodes.forEach((node, index) => {
        middle.set(node, placed[index] ?? 0);
      });
    }
  }
  return middle;
}

/**
 * The places nearest to `ideal` (least squares) that keep their order and the distances `apart`: isotonic
 * regression by pooling adjacent violators, on what is left when the distances are taken off.
 */
export function spread(ideal: readonly number[], apart: readonly number[]): number[] {
  const offsets = [0];
  for (const distance of apart) offsets.push((offsets[offsets.length - 1] ?? 0) + distance);
  const pools: { sum: number; size: number }[] = [];
  ideal.forEach((place, index) => {
    let pool = { sum: place - (offsets[index] ?? 0), size: 1 };
    for (let last = pools.at(-1); last && last.sum / last.size > pool.sum / pool.size; last = pools.at(-1)) {
      pools.pop();
      pool = { sum: pool.sum + last.sum, size: pool.size + last.size };
    }
    pools.push(pool);
  });
  const flat = pools.flatMap(({ sum, size }) => Array<number>(size).fill(sum / size));
  return flat.map((place, index) => place + (offsets[index] ?? 0));
}

export function most(values: Iterable<number>, least: number): number {
  let highest = least;
  for (const value of values) if (value > highest) highest = value;
  return highest;
}

function mean(nodes: readonly string[] | undefined, values: Map<string, number>, otherwise: number): number {
  if (!nodes?.length) return otherwise;
  return nodes.reduce((sum, node) => sum + (values.get(node) ?? 0), 0) / nodes.length;
}
