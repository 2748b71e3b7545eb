import { useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { type Pen, penFor } from "./draw.ts";
import { NONE, type StudyStore } from "./store.ts";
import { useTheme } from "./theme.ts";
import { Tip } from "./tip.tsx";

/** How a chart is drawn; a new one for each time that it is to be drawn anew. */
export interface Drawing {
  draw(pen: Pen): void;
  /** Draw a trial in front of all. */
  mark(pen: Pen, number: number): void;
  /** The trial at a place, if there is one near it. */
  find(x: number, y: number): number;
}

interface Props {
  /** What is to be seen, in words. */
  label: string;
  height: number;
  store: StudyStore;
  /** The drawing in a width. */
  drawing: (width: number) => Drawing;
  /** What is over the drawing, in a width. */
  children?: (width: number) => ComponentChildren;
  /** How wide it is at least. */
  least?: number;
}

/** A chart on two canvases: all trials, and in front those that are pointed at and opened. */
export function Canvas({ label, height, store, drawing, children, least = 0 }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [below, above] = [useRef<HTMLCanvasElement>(null), useRef<HTMLCanvasElement>(null)];
  const width = useWidth(box);
  const theme = useTheme();
  const current = useRef<Drawing | null>(null);
  const [tip, setTip] = useState<readonly [number, number] | null>(null);
  const front = () => {
    const pen = above.current && penFor(above.current, width, height);
    if (!pen) return;
    for (const number of new Set([store.view.open.peek(), store.view.hover.peek()]))
      if (number !== NONE) current.current?.mark(pen, number);
  };
  useLayoutEffect(() => {
    current.current = width > 0 ? drawing(width) : null;
    const pen = below.current && penFor(below.current, width, height);
    if (pen) current.current?.draw(pen);
    front();
  }, [drawing, width, height, theme]);
  useSignalEffect(() => {
    store.view.hover.value;
    store.view.open.value;
    front();
  });
  const find = (event: PointerEvent | MouseEvent) => {
    const area = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    const number = current.current?.find(x, y) ?? NONE;
    store.view.hover.value = number;
    setTip(number === NONE ? null : [x, y]);
    return number;
  };
  const leave = () => {
    store.view.hover.value = NONE;
    setTip(null);
  };
  return (
    <div class="chart-scroll">
      <div ref={box} class="chart" style={`height:${height}px;min-width:${least}px`}>
        <canvas ref={below} role="img" aria-label={label} style={`width:${width}px;height:${height}px`} />
        <canvas
          ref={above}
          style={`width:${width}px;height:${height}px`}
          onPointerMove={find}
          onPointerLeave={leave}
          onClick={(event) => {
            const number = find(event);
            if (number !== NONE) store.view.open.value = number;
          }}
        />
        {children?.(width)}
        {tip && <Tip place={tip} width={width} store={store} />}
      </div>
    </div>
  );
}

function useWidth(box: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = () => setWidth(element.clientWidth);
    look();
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
