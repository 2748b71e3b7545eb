import { useLayoutEffect, useRef } from "preact/hooks";
import type { View } from "../../registry.ts";
import { StaticStore } from "./store.ts";

/** A type without its own view: the static HTML that kfnb wrote and escaped, drawn anew by the kernel. */
export const staticView: View<StaticStore> = {
  css: "",
  store: (type, id, send) => new StaticStore(type, id, send),
  picture: (store) => <StaticPicture store={store} />,
};

function StaticPicture({ store }: { store: StaticStore }) {
  const box = useRef<HTMLDivElement>(null);
  const html = store.html.value;
  useLayoutEffect(() => {
    if (box.current && html !== null) replace(box.current, html);
  }, [html]);
  return (
    <section class="kfnb" data-gone={store.gone.value !== ""}>
      <div ref={box} />
      {store.gone.value && <p class="note">{store.gone.value}</p>}
    </section>
  );
}

/** Put other HTML into a box; what a person has opened, closed or scrolled in it stays so. */
function replace(box: HTMLElement, html: string): void {
  const opened = new Map([...box.querySelectorAll("details")].map((one) => [nameOf(one), one.open]));
  const scrolled = [...box.querySelectorAll("*")].map(
    ({ scrollLeft, scrollTop }) => [scrollLeft, scrollTop] as const,
  );
  box.innerHTML = html;
  for (const one of box.querySelectorAll("details")) one.open = opened.get(nameOf(one)) ?? one.open;
  for (const [index, element] of [...box.querySelectorAll("*")].entries()) {
    const [left, top] = scrolled[index] ?? [0, 0];
    if (left || top) element.scrollTo(left, top);
  }
}

function nameOf(details: HTMLDetailsElement): string {
  return details.querySelector("summary")?.textContent ?? "";
}
