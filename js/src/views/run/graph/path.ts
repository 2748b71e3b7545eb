import type { Point } from "./level.ts";

/** An edge's way as an SVG path, with an arrow's head. */
export function edgePath(points: readonly Point[]): string {
  const [start, ...rest] = points;
  if (!start) return "";
  let [x, y] = start;
  const path = [`M${x} ${y}`];
  rest.forEach(([toX, toY], index) => {
    const middle = (x + toX) / 2;
    path.push(index % 2 ? `C${middle} ${y} ${middle} ${toY} ${toX} ${toY}` : `H${toX}`);
    [x, y] = [toX, toY];
  });
  path.push(`M${x - 6} ${y - 4} L${x - 1} ${y} L${x - 6} ${y + 4}`);
  return path.join("");
}

/** The middle of an edge's last curve, where its names are. */
export function labelPoint(points: readonly Point[]): Point {
  const [x, y] = points.at(-2) ?? [0, 0];
  const [toX, toY] = points.at(-1) ?? [0, 0];
  return [(x + toX) / 2, (y + toY) / 2];
}
