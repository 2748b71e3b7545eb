import { useEffect, useState } from "preact/hooks";
import type { Followed, Order } from "../store/followed.ts";
import { useLate } from "./late.ts";

const PATIENCE = 4000;
const READ = 10_000;

function busy(order: Order, what: string): string {
  const promise = order === "stop" ? `it will stop the ${what}` : "it will retry";
  return `The kernel is busy: ${promise} as soon as it is free.`;
}

/** How an order goes, until that is seen or has been read; what went wrong stays until the next order. */
export function Answer({ over, what, store }: { over: boolean; what: string; store: Followed }) {
  const said = store.said.value;
  const late = useLate(said?.order !== undefined);
  useEffect(() => {
    if (!said?.ok || said.order) return undefined;
    const timer = setTimeout(() => {
      store.said.value = null;
    }, READ);
    return () => clearTimeout(timer);
  }, [said, store]);
  // the state of a run that has ended, or continues, replaces any answer
  useEffect(() => {
    if (store.said.peek()?.ok) store.said.value = null;
  }, [over, store]);
  if (!said) return null;
  return (
    <span class="said" data-ok={said.ok} role="status">
      {late && said.order ? busy(said.order, what) : said.text}
    </span>
  );
}

/** Stops at the second click: the first only asks, for a while. (A notebook takes the focus whenever it likes.) */
export function Stop({ what, store }: { what: string; store: Followed }) {
  const [sure, setSure] = useState(false);
  useEffect(() => {
    if (!sure) return undefined;
    const timer = setTimeout(() => setSure(false), PATIENCE);
    return () => clearTimeout(timer);
  }, [sure]);
  const click = () => {
    if (sure) store.order("stop");
    setSure(!sure);
  };
  return (
    <button type="button" class={sure ? "danger" : ""} onClick={click}>
      {sure ? `Stop the ${what}?` : "Stop"}
    </button>
  );
}
