import { type ReadonlySignal, useComputed, useSignalEffect } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import type { Place } from "./level.ts";
import type { Stage } from "./stage.ts";

// a graph of fewer nodes is drawn whole
const WHOLE = 150;
const EVERYWHERE: Place = { x: -1e9, y: -1e9, width: 2e9, height: 2e9 };

/** The part of the world that is drawn: it changes when what is seen comes near its borders. */
export function useWindow(stage: Stage): Place {
  const few: ReadonlySignal<boolean> = useComputed(() => stage.layout.value.places.size <= WHOLE);
  const [window, setWindow] = useState<Place>(() => stage.seen());
  const drawn = useRef(window);
  useSignalEffect(() => {
    const seen = stage.seen();
    if (few.value || (contains(drawn.current, inner(seen)) && seen.width * 3 > drawn.current.width)) return;
    drawn.current = seen;
    setWindow(seen);
  });
  return few.value ? EVERYWHERE : window;
}

export function meets(place: Place, window: Place): boolean {
  return (
    place.x < window.x + window.width &&
    place.x + place.width > window.x &&
    place.y < window.y + window.height &&
    place.y + place.height > window.y
  );
}

function contains(outer: Place, place: Place): boolean {
  return (
    place.x >= outer.x &&
    place.y >= outer.y &&
    place.x + place.width <= outer.x + outer.width &&
    place.y + place.height <= outer.y + outer.height
  );
}

/** What is really seen, and a little around it, of what `seen` gives. */
function inner({ x, y, width, height }: Place): Place {
  return { x: x + width * 0.2, y: y + height * 0.2, width: width * 0.6, height: height * 0.6 };
}
