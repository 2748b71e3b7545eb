import { useContext, useLayoutEffect, useRef } from "preact/hooks";
import { now, onTick } from "./clock.ts";
import { LastUpdate } from "./lastUpdate.ts";
import { duration } from "./words.ts";

interface Props {
  began: number | null | undefined;
  finished: number | null;
  /** A text before it, if any. */
  before?: string;
}

/** How long something took; while it runs, the time passes without a new drawing. */
export function Elapsed({ began, finished: ended, before = "" }: Props) {
  const until = useContext(LastUpdate);
  const finished = ended ?? until;
  const element = useRef<HTMLSpanElement>(null);
  const start = began ?? null;
  useLayoutEffect(() => {
    const text = element.current?.firstChild;
    if (start === null || finished !== null || !text) return undefined;
    return onTick(() => {
      const next = elapsedText(start, null, before);
      if (text.nodeValue !== next) text.nodeValue = next;
    });
  }, [start, finished, before]);
  if (start === null) return null;
  // each end has a key: what ticks changes the text behind the back of preact, which then would not
  return (
    <span key={finished} ref={element} class="elapsed">
      {elapsedText(start, finished, before)}
    </span>
  );
}

function elapsedText(began: number, finished: number | null, before: string): string {
  return before + duration(Math.max(0, (finished ?? now()) - began));
}
