import { useEffect, useState } from "preact/hooks";

const QUICK = 250;
const CALM = 1000;

const waiting = new Set<() => void>();
let timer = 0;

let ahead = Number.NEGATIVE_INFINITY;

/** The kernel's clock is at `seconds`, or was before the message came here: of several, the fastest tells best. */
export function learn(seconds: number): void {
  ahead = Math.max(ahead, seconds - Date.now() / 1000);
}

/** Seconds since the epoch, by the kernel's clock as far as it is known. */
export function now(): number {
  return Date.now() / 1000 + (Number.isFinite(ahead) ? ahead : 0);
}

/** Call `tick` several times a second while the page is seen; what comes back ends it. */
export function onTick(tick: () => void): () => void {
  waiting.add(tick);
  timer ||= window.setInterval(tickAll, calm() ? CALM : QUICK);
  return () => {
    waiting.delete(tick);
    if (!waiting.size) {
      window.clearInterval(timer);
      timer = 0;
    }
  };
}

function tickAll(): void {
  if (document.hidden) return;
  for (const tick of waiting) tick();
}

function calm(): boolean {
  return window.matchMedia?.("(prefers-reduced-motion: reduce)").matches ?? false;
}

/** The moment, and a new drawing every second while `ticking`; it ends at `until`. */
export function useNow(ticking: boolean, until: number | null): number {
  const [, renew] = useState(now);
  useEffect(() => {
    if (!ticking || until !== null) return undefined;
    return onTick(() => renew((last) => (now() - last >= 1 ? now() : last)));
  }, [ticking, until]);
  return until ?? now();
}
