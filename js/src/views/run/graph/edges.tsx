import type { Layout } from "./arrange.ts";
import type { Place, Route } from "./level.ts";
import { edgePath, labelPoint } from "./path.ts";
import type { Stage } from "./stage.ts";
import { meets } from "./window.ts";

/** The names that an edge carries, by its ends' keys. */
export type Carried = (source: string, target: string) => string[];

const MOST_NAMES = 5;

interface Props {
  layout: Layout;
  window: Place;
  stage: Stage;
}

/** All edges in one path, and over each a wide invisible one, to point at. */
export function Edges({ layout, window, stage }: Props) {
  const routes = layout.routes.filter((route) => meets(around(route), window));
  return (
    <svg class="edges" width={layout.width} height={layout.height} aria-hidden="true">
      <path d={routes.map(({ points }) => edgePath(points)).join("")} class="all" />
      {routes.map((route) => (
        <path
          key={id(route)}
          d={edgePath(route.points)}
          class="hit"
          onPointerEnter={() => {
            stage.lit.value = id(route);
          }}
          onPointerLeave={() => {
            stage.lit.value = "";
          }}
        />
      ))}
    </svg>
  );
}

/** The edges that are pointed at, or belong to the node that is, with the names that they carry. */
export function Lit({ layout, stage, carried }: { layout: Layout; stage: Stage; carried: Carried }) {
  const lit = stage.lit.value;
  if (!lit) return null;
  const routes = layout.routes.filter(
    (route) => id(route) === lit || route.source === lit || route.target === lit,
  );
  const names = routes.map((route) => ({ route, text: lines(carried(route.source, route.target)) }));
  return (
    <>
      <svg class="edges lit" width={layout.width} height={layout.height} aria-hidden="true">
        <path d={routes.map(({ points }) => edgePath(points)).join("")} />
      </svg>
      {names
        .filter(({ text }) => text)
        .map(({ route, text }) => {
          const [x, y] = labelPoint(route.points);
          return (
            <span key={id(route)} class="edge-label" style={`left:${x}px;top:${y}px`}>
              {text}
            </span>
          );
        })}
    </>
  );
}

function lines(names: string[]): string {
  const more = names.length > MOST_NAMES ? [`and ${names.length - MOST_NAMES + 1} more`] : [];
  return [...names.slice(0, MOST_NAMES - more.length), ...more].join("\n");
}

function id(route: Route): string {
  return `${route.source}\n${route.target}`;
}

function around({ points }: Route): Place {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  return { x, y, width: Math.max(...xs) - x, height: Math.max(...ys) - y };
}
