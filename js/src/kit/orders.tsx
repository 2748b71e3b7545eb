import { useEffect, useState } from "preact/hooks";
import type { Followed, Order } from "../store/followed.ts";
import type { Head } from "../views/run/fold.ts";
import type { RunStore } from "../views/run/store.ts";
import { webAddress } from "./address.ts";
import { Copy } from "./copy.tsx";
import { useLate } from "./late.ts";
import { isOver } from "./states.ts";

const PATIENCE = 4000;
const READ = 10_000;

function busy(order: Order, what: string): string {
  const promise = order === "stop" ? `it stops the ${what}` : "it tries again";
  return `The kernel is busy: ${promise} as soon as it answers.`;
}

/** What can be done with a run. */
export function Orders({ head, store }: { head: Head; store: RunStore }) {
  const listens = !store.gone.value;
  const url = webAddress(head.url);
  return (
    <div class="orders">
      <Answer over={isOver(head.state)} what="run" store={store} />
      {listens && !isOver(head.state) && head.state !== "CANCELING" && <Stop what="run" store={store} />}
      {listens && (head.state === "FAILED" || head.state === "CANCELED") && (
        <button type="button" onClick={() => order(store, "retry")}>
          Retry
        </button>
      )}
      {head.command && (
        <Copy text={head.command} label={`Copy the command that runs it again: ${head.command}`}>
          Copy command
        </Copy>
      )}
      <Copy text={head.id}>Copy id</Copy>
      {url && (
        <a class="button" href={url} target="_blank" rel="noopener noreferrer">
          Open in Kubeflow <span aria-hidden="true">↗</span>
        </a>
      )}
    </div>
  );
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
  // a run that has ended, or goes on, says more than any answer
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
    if (sure) order(store, "stop");
    setSure(!sure);
  };
  return (
    <button type="button" class={sure ? "danger" : ""} onClick={click}>
      {sure ? `Stop the ${what}?` : "Stop"}
    </button>
  );
}

function order(store: Followed, what: Order): void {
  store.said.value = { text: what === "stop" ? "Stopping…" : "Retrying…", ok: true, order: what };
  store.tell({ do: what, id: store.id });
}
