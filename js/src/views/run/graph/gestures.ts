import type { Stage } from "./stage.ts";

const CLICK = 4;
const PER_WHEEL = 0.0022;
const LARGEST_STEP = 60;

/** Drag to move; the wheel with Ctrl or Cmd, and two fingers, to zoom. The plain wheel scrolls the notebook. */
export function listen(area: HTMLElement, stage: Stage): () => void {
  const fingers = new Map<number, { x: number; y: number }>();
  let moved = 0;

  const wheel = (event: WheelEvent) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = area.getBoundingClientRect();
    const step = Math.max(-LARGEST_STEP, Math.min(LARGEST_STEP, event.deltaY));
    stage.zoom(Math.exp(-step * PER_WHEEL * 2), event.clientX - box.left, event.clientY - box.top);
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || isControl(event)) return;
    if (!fingers.size) moved = 0;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  };
  const move = (event: PointerEvent) => {
    const last = fingers.get(event.pointerId);
    if (!last) return;
    const next = { x: event.clientX, y: event.clientY };
    moved += Math.abs(next.x - last.x) + Math.abs(next.y - last.y);
    if (moved < CLICK) return;
    if (!area.hasPointerCapture(event.pointerId)) area.setPointerCapture(event.pointerId);
    if (fingers.size > 1) pinch(event.pointerId, last, next);
    else stage.pan(next.x - last.x, next.y - last.y);
    fingers.set(event.pointerId, next);
    area.dataset.dragged = "";
  };
  const pinch = (id: number, last: { x: number; y: number }, next: { x: number; y: number }) => {
    const other = [...fingers].find(([key]) => key !== id)?.[1];
    if (!other) return;
    const before = Math.hypot(last.x - other.x, last.y - other.y);
    const after = Math.hypot(next.x - other.x, next.y - other.y);
    const box = area.getBoundingClientRect();
    const [x, y] = [(next.x + other.x) / 2 - box.left, (next.y + other.y) / 2 - box.top];
    if (before > 0) stage.zoom(after / before, x, y);
  };
  const up = (event: PointerEvent) => {
    fingers.delete(event.pointerId);
    if (!fingers.size) delete area.dataset.dragged;
  };
  const click = (event: MouseEvent) => {
    // a drag ends with a click on what is under it, which was not meant
    if (moved < CLICK) return;
    event.stopPropagation();
    moved = 0;
  };

  const end = new AbortController();
  const options = { signal: end.signal };
  area.addEventListener("wheel", wheel, { ...options, passive: false });
  area.addEventListener("pointerdown", down, options);
  area.addEventListener("pointermove", move, options);
  area.addEventListener("pointerup", up, options);
  area.addEventListener("pointercancel", up, options);
  area.addEventListener("click", click, { ...options, capture: true });
  return () => end.abort();
}

function isControl(event: PointerEvent): boolean {
  return event.target instanceof Element && event.target.closest("button") !== null;
}
