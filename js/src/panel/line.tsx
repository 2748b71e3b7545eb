import { places } from "../log/search.ts";

interface Props {
  number: number;
  digits: number;
  top: number;
  text: string;
  word: string;
  current: boolean;
}

/** One line of a log, with its number and what was looked for marked. */
export function Line({ number, digits, top, text, word, current }: Props) {
  return (
    <div class="line" style={`top:${top}px`} data-current={current}>
      <span class="number" style={`width:${digits}ch`} data-number={number + 1} />
      <span class="text">{marked(text, word)}</span>
    </div>
  );
}

function marked(text: string, word: string) {
  const found = places(text, word);
  if (!found.length) return text;
  const parts = [];
  let last = 0;
  for (const at of found) {
    parts.push(text.slice(last, at), <mark key={at}>{text.slice(at, at + word.length)}</mark>);
    last = at + word.length;
  }
  return [...parts, text.slice(last)];
}
