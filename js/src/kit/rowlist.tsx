import type { ComponentChildren, VNode } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { useRows } from "./rows.ts";

interface Props {
  label: string;
  class: string;
  count: number;
  /** How high a row is, and the height above all rows. */
  height: number;
  before?: number;
  head?: ComponentChildren;
  /** The row that is chosen; -1 for none. */
  chosen: number;
  name: (index: number) => string;
  row: (index: number) => VNode;
  choose: (index: number) => void;
  /** Whether a row is chosen as soon as the arrow keys come to it. */
  eager?: boolean;
}

/** Rows of one height, of which only those that are seen are in the page; arrow keys go through them. */
export function RowList(props: Props) {
  const { count, height, before = 0, chosen } = props;
  const box = useRef<HTMLDivElement>(null);
  const rows = useRows(box, count, height, before);
  const [cursor, setCursor] = useState(-1);
  const id = useId();
  const at = props.eager ? chosen : Math.min(cursor, count - 1);
  const go = (index: number) => {
    const next = Math.max(0, Math.min(count - 1, index));
    setCursor(next);
    rows.reveal(next);
    if (props.eager) props.choose(next);
  };
  const press = (event: KeyboardEvent) => {
    const to = target(event.key, at, count);
    if (to !== null) go(to);
    else if (event.key === "Enter" && at >= 0) props.choose(at);
    else return;
    event.preventDefault();
  };
  const indices = Array.from({ length: Math.max(0, rows.to - rows.from) }, (_, index) => rows.from + index);
  return (
    <div
      ref={box}
      class={props.class}
      role="listbox"
      tabIndex={0}
      aria-label={props.label}
      aria-activedescendant={at >= 0 ? `${id}-${at}` : undefined}
      onKeyDown={press}
    >
      {props.head}
      <div class="rows" style={`height:${count * height}px`}>
        {indices.map((index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus
          // biome-ignore lint/a11y/useKeyWithClickEvents: the list listens to the keys
          <div
            key={index}
            id={`${id}-${index}`}
            class="row"
            role="option"
            aria-selected={index === chosen}
            aria-label={props.name(index)}
            aria-setsize={count}
            aria-posinset={index + 1}
            data-cursor={index === at}
            style={`top:${index * height}px;height:${height}px`}
            onClick={() => {
              setCursor(index);
              props.choose(index);
            }}
          >
            {props.row(index)}
          </div>
        ))}
      </div>
    </div>
  );
}

const PAGE = 10;

function target(key: string, at: number, count: number): number | null {
  if (key === "ArrowDown") return at + 1;
  if (key === "ArrowUp") return at - 1;
  if (key === "PageDown") return at + PAGE;
  if (key === "PageUp") return at - PAGE;
  if (key === "Home") return 0;
  return key === "End" ? count - 1 : null;
}
