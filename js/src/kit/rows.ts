import { useLayoutEffect, useState } from "preact/hooks";

const SPARE = 12;
const AT_FIRST = 40;

type Box = { readonly current: HTMLElement | null };

export interface Rows {
  /** The rows to draw: `from` up to, and without, `to`. */
  from: number;
  to: number;
  /** Scroll as far as it takes to see a row, or so that it is in the middle. */
  reveal(row: number, middle?: boolean): void;
}

/** Which of many rows, all of one height, are to be drawn in a box that scrolls; `before` is the height above them. */
export function useRows(box: Box, count: number, height: number, before = 0): Rows {
  const [seen, setSeen] = useState({ from: 0, to: AT_FIRST });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const look = () => setSeen((last) => same(last, seenOf(element, height, before)));
    look();
    element.addEventListener("scroll", look, { passive: true });
    const observer = new ResizeObserver(look);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      observer.disconnect();
    };
  }, [box, height, before]);
  const to = Math.min(count, seen.to);
  return {
    from: Math.max(0, Math.min(seen.from, to - AT_FIRST)),
    to,
    reveal: (row, middle = false) => reveal(box, row * height, { height, before, middle }),
  };
}

function seenOf(element: HTMLElement, height: number, before: number) {
  const first = Math.floor((element.scrollTop - before) / height);
  const fit = Math.ceil((element.clientHeight || AT_FIRST * height) / height);
  // in steps, so that not each row that is scrolled by is a drawing
  const from = Math.max(0, Math.floor((first - SPARE) / SPARE) * SPARE);
  return { from, to: Math.ceil((first + fit + SPARE) / SPARE) * SPARE };
}

function same(last: { from: number; to: number }, next: { from: number; to: number }) {
  return last.from === next.from && last.to === next.to ? last : next;
}

interface How {
  height: number;
  before: number;
  middle: boolean;
}

function reveal(box: Box, top: number, { height, before, middle }: How): void {
  const element = box.current;
  if (!element) return;
  const room = element.clientHeight - before;
  const [above, below] = [top < element.scrollTop, top + height > element.scrollTop + room];
  if (middle && (above || below)) element.scrollTop = top - (room - height) / 2;
  else if (above) element.scrollTop = top;
  else if (below) element.scrollTop = top + height - room;
}
