import { useRef } from "preact/hooks";
import type { Axis } from "./axes.ts";
import { placesOf, rangeOf, rangeText } from "./brush.ts";
import { BOTTOM, TOP } from "./parallel.tsx";
import type { StudyStore } from "./store.ts";

const WIDTH = 26;
const EDGE = 7;
const CLICK = 3;
/** How far a key moves an end of the range. */
const STEP = 0.05;

interface Props {
  axis: Axis;
  x: number;
  height: number;
  store: StudyStore;
}

type Places = [from: number, to: number];
/** What a drag does: it makes a new range, or moves the one there is, or one end of it. */
type Drag = { start: number; moved: boolean; range: (at: number) => Places };

/** An axis to choose a range of: by dragging along it, or by the arrow keys. */
export function Brush({ axis, x, height, store }: Props) {
  const element = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const tall = height - TOP - BOTTOM;
  const range = store.view.brushes.value.get(axis.key) ?? null;
  const places = range && placesOf(axis.scale, range);
  const choose = (next: Places | null) =>
    store.view.brush(axis.key, next && rangeOf(axis.scale, next[0], next[1]));
  const placeAt = (event: PointerEvent) => {
    const box = element.current?.getBoundingClientRect();
    return box ? 1 - (event.clientY - box.top) / tall : 0;
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    const start = placeAt(event);
    element.current?.setPointerCapture(event.pointerId);
    drag.current = { start, moved: false, range: how(start, places, EDGE / tall) };
  };
  const move = (event: PointerEvent) => {
    if (!drag.current) return;
    const at = placeAt(event);
    drag.current.moved ||= Math.abs(at - drag.current.start) * tall > CLICK;
    if (drag.current.moved) choose(drag.current.range(at));
  };
  const up = () => {
    if (drag.current && !drag.current.moved) choose(null);
    drag.current = null;
  };
  const press = (event: KeyboardEvent) => {
    const range = store.view.brushes.peek().get(axis.key);
    if ((event.key === "Escape" && range) || event.key === "Delete" || event.key === "Backspace")
      choose(null);
    else {
      const next = stepped(event, range ? placesOf(axis.scale, range) : [0, 1], axis);
      if (!next) return;
      choose(next);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div
      ref={element}
      class="brush"
      role="slider"
      tabIndex={0}
      aria-orientation="vertical"
      aria-label={`Choose trials by ${axis.name}: arrow keys move the range, with Shift its upper end, Escape clears it`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={places ? Math.round(50 * (places[0] + places[1])) : 50}
      aria-valuetext={range ? rangeText(axis, range) : "all"}
      style={`left:${x - WIDTH / 2}px;top:${TOP}px;width:${WIDTH}px;height:${tall}px`}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={up}
      onPointerCancel={up}
      onKeyDown={press}
    >
      {places && (
        <div
          class="brush-range"
          style={`bottom:${100 * places[0]}%;height:${100 * Math.max(0, places[1] - places[0])}%`}
        />
      )}
    </div>
  );
}

function how(start: number, places: Places | null, edge: number): Drag["range"] {
  if (places) {
    const [from, to] = places;
    if (Math.abs(start - to) < edge) return (at) => [from, at];
    if (Math.abs(start - from) < edge) return (at) => [at, to];
    if (start > from && start < to)
      return (at) => {
        const by = Math.max(-from, Math.min(1 - to, at - start));
        return [from + by, to + by];
      };
  }
  return (at) => [start, at];
}

/** The range after an arrow key: moved, or made smaller at an end of the axis; with Shift, its upper end alone moves. */
function stepped(event: KeyboardEvent, [from, to]: Places, axis: Axis): Places | null {
  const way = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
  if (!way) return null;
  const step = way * (axis.scale.choices ? 1 / axis.scale.choices.length : STEP);
  // of all, one end gives way first
  if (from <= 0 && to >= 1) return way > 0 ? [step, 1] : [0, 1 + step];
  if (event.shiftKey) return [from, Math.min(1, Math.max(from + Math.abs(step), to + step))];
  // at an end of the axis, the range gets smaller
  if (from <= 0 && way < 0) return [0, Math.max(Math.abs(step), to + step)];
  if (to >= 1 && way > 0) return [Math.min(1 - step, from + step), 1];
  const by = Math.max(-from, Math.min(1 - to, step));
  return [from + by, to + by];
}
