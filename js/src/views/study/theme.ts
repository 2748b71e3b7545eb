import { useEffect, useState } from "preact/hooks";

/** Counts up when the page gets other colours: a canvas does not see that by itself. */
export function useTheme(): number {
  const [count, renew] = useState(0);
  useEffect(() => {
    const change = () => requestAnimationFrame(() => renew((last) => last + 1));
    const observer = new MutationObserver(change);
    for (const element of [document.documentElement, document.body])
      observer.observe(element, {
        attributeFilter: ["class", "style", "data-jp-theme-name", "data-jp-theme-light"],
      });
    const dark = window.matchMedia?.("(prefers-color-scheme: dark)");
    dark?.addEventListener?.("change", change);
    return () => {
      observer.disconnect();
      dark?.removeEventListener?.("change", change);
    };
  }, []);
  return count;
}
