import type { Span } from "./ansi.ts";
import { places } from "./search.ts";

interface Props {
  number: number;
  digits: number;
  top: number;
  text: string;
  /** Where the part of it that is shown begins. */
  from: number;
  /** The parts of a line with colours. */
  spans: readonly Span[] | undefined;
  pattern: RegExp | null;
  current: boolean;
}

/** One line of a log, with its number, its colours, and what was looked for marked. */
export function Line({ number, digits, top, text, from, spans, pattern, current }: Props) {
  return (
    <div class="line" style={`top:${top}px`} data-current={current}>
      <span class="number" style={`width:${digits}ch`} data-number={number + 1} />
      <span class="text">{drawn(text, from, spans, places(text, pattern))}</span>
    </div>
  );
}

function drawn(text: string, start: number, spans: readonly Span[] | undefined, found: [number, number][]) {
  if (!spans) return marked(text.slice(start), start, found);
  let at = 0;
  return spans.map((span) => {
    const from = Math.max(at, start);
    const shown = span.text.slice(from - at);
    at += span.text.length;
    return (
      <span key={at} class={span.paint}>
        {marked(shown, from, found)}
      </span>
    );
  });
}

/** A part of a line that begins at `from`, with what of the matches is in it marked. */
function marked(text: string, from: number, found: [number, number][]) {
  const parts = [];
  let last = 0;
  for (const [start, end] of found) {
    const [begin, stop] = [Math.max(start - from, last), Math.min(end - from, text.length)];
    if (begin >= stop) continue;
    parts.push(text.slice(last, begin), <mark key={begin}>{text.slice(begin, stop)}</mark>);
    last = stop;
  }
  return parts.length ? [...parts, text.slice(last)] : text;
}
