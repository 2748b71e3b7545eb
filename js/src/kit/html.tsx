import { useLayoutEffect, useRef } from "preact/hooks";

/** HTML that kfnb wrote and escaped; what a person has opened, closed or scrolled in it stays so as it changes. */
export function Html({ html }: { html: string }) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (box.current) replace(box.current, html);
  }, [html]);
  return <div ref={box} />;
}

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
