import { type ReadonlySignal, useComputed, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { Focus } from "../../../kit/focus.ts";
import type { RunStore } from "../store.ts";
import type { Camera } from "../view.ts";
import { arrange, type Layout } from "./arrange.ts";
import { boxesOf } from "./boxes.ts";
import { Card } from "./card.tsx";
import { Edges, Lit } from "./edges.tsx";
import { GroupFrame } from "./frame.tsx";
import { listen } from "./gestures.ts";
import { act, first } from "./keys.ts";
import { Stage } from "./stage.ts";
import { meets, useWindow } from "./window.ts";

// so small that words are too small to read
const FAR = 0.42;

/** Where the nodes of a run's graph stand. */
export function useLayout(store: RunStore): ReadonlySignal<Layout> {
  return useComputed(() => {
    store.shape.value;
    return arrange(boxesOf(store.fold.value?.roots ?? [], store));
  });
}

interface Props {
  store: RunStore;
  layout: ReadonlySignal<Layout>;
}

/** A run's graph: to move, to zoom, and to walk through by the keyboard. */
export function Graph({ store, layout }: Props) {
  const stage = useMemo(() => new Stage(store.view, layout), [store, layout]);
  const area = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => watchSize(area.current, stage), [stage]);
  useLayoutEffect(() => (area.current ? listen(area.current, stage) : undefined), [stage]);
  const follow = useFocus(area, stage);
  useReveal(store, stage);
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!isNode(event.target) || !act(event.key, store, stage)) return;
    event.preventDefault();
    // at once: a picture that is moved now gives the focus back to the node that last had it
    follow();
  };
  return (
    <div class="graph" style={`min-height:${stage.height.value}px`}>
      <div
        ref={area}
        class="area"
        role="tree"
        tabIndex={-1}
        aria-label={`Graph of ${store.head.value?.pipeline ?? "the run"}`}
        onKeyDown={press}
      >
        {stage.size.value.width > 0 && <World store={store} stage={stage} />}
      </div>
      <Tools stage={stage} />
    </div>
  );
}

function World({ store, stage }: { store: RunStore; stage: Stage }) {
  const world = useRef<HTMLDivElement>(null);
  const layout = stage.layout.value;
  const window = useWindow(stage);
  useSignalEffect(() => {
    const { x, y, scale } = stage.camera.value;
    if (!world.current) return;
    world.current.style.transform = `translate(${x}px,${y}px) scale(${scale})`;
    world.current.toggleAttribute("data-far", scale < FAR);
  });
  if (!layout.places.has(stage.focus.peek())) stage.focus.value = first(layout);
  const stacks = store.fold.value?.stacks;
  const shown = [...layout.places].flatMap(([key, place]) => {
    const stack = stacks?.get(key);
    return stack && (meets(place, window) || stage.focus.peek() === key) ? [{ key, place, stack }] : [];
  });
  const isOpen = (key: string, group: boolean) => group && !store.view.folded.value.has(key);
  const carried = (source: string, target: string) => {
    const name = stacks?.get(source)?.name ?? "";
    return [...(stacks?.get(target)?.needs.get(name) ?? [])];
  };
  return (
    <div class="world" ref={world}>
      {shown.map(({ key, place, stack }) =>
        isOpen(key, stack.group && stack.children.length > 0) ? (
          <GroupFrame key={key} stack={stack} place={place} store={store} stage={stage} />
        ) : null,
      )}
      <Edges layout={layout} window={window} stage={stage} />
      {shown.map(({ key, place, stack }) =>
        isOpen(key, stack.group && stack.children.length > 0) ? null : (
          <Card key={key} stack={stack} place={place} store={store} stage={stage} />
        ),
      )}
      <Lit layout={layout} stage={stage} carried={carried} />
    </div>
  );
}

function Tools({ stage }: { stage: Stage }) {
  const whole = useComputed(() => `${Math.round(stage.camera.value.scale * 100)}%`);
  return (
    <div class="tools" role="toolbar" aria-label="Zoom">
      <button type="button" onClick={() => stage.zoom(0.8)} aria-label="Zoom out" title="Zoom out (-)">
        −
      </button>
      <span class="scale">{whole}</span>
      <button type="button" onClick={() => stage.zoom(1.25)} aria-label="Zoom in" title="Zoom in (+)">
        +
      </button>
      <button type="button" onClick={() => stage.fit()} title="Fit to view (0)">
        Fit
      </button>
    </div>
  );
}

function watchSize(area: HTMLElement | null, stage: Stage): (() => void) | undefined {
  if (!area) return undefined;
  const measure = () => {
    const { clientWidth: width, clientHeight: height } = area;
    const known = stage.size.peek();
    if (width !== known.width || height !== known.height) stage.size.value = { width, height };
  };
  measure();
  const observer = new ResizeObserver(measure);
  observer.observe(area);
  return () => observer.disconnect();
}

/** Keep the keyboard's focus at the node that it is at, also when that is drawn only now, or anew. Returns what does so at once. */
function useFocus(area: { current: HTMLDivElement | null }, stage: Stage): () => void {
  const held = useRef<Focus | null>(null);
  const follow = () => {
    const last = held.current?.current;
    if (!last || (last.isConnected && last.dataset.key === stage.focus.peek())) return;
    for (const node of area.current?.querySelectorAll<HTMLElement>("[data-key]") ?? [])
      if (node.dataset.key === stage.focus.peek()) node.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    const end = new AbortController();
    if (area.current) held.current = new Focus(area.current, end.signal);
    return () => end.abort();
  }, [area]);
  useSignalEffect(() => {
    stage.focus.value;
    stage.layout.value;
    // what these change is drawn by the next frame but one
    requestAnimationFrame(() => requestAnimationFrame(follow));
  });
  return follow;
}

/** Bring the node whose panel is open into view; once that is closed, the graph is seen as it was before. */
function useReveal(store: RunStore, stage: Stage): void {
  const { view } = store;
  const before = useRef<Camera | null | undefined>(undefined);
  const moved = useRef<Camera | null>(null);
  useSignalEffect(() => {
    const open = view.open.value;
    const place = open && stage.size.value.width ? stage.layout.peek().places.get(open) : undefined;
    if (place) {
      if (before.current === undefined) before.current = moved.current = view.camera.peek();
      const own = view.camera.peek() !== moved.current;
      stage.reveal(place);
      // whoever has moved it meanwhile wants it there
      if (!own) moved.current = view.camera.peek();
    } else if (!open && before.current !== undefined) {
      if (view.camera.peek() === moved.current) view.camera.value = before.current;
      before.current = undefined;
    }
  });
}

function isNode(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.dataset.key !== undefined || target.role === "tree");
}
