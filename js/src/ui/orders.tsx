import { useEffect, useState } from "preact/hooks";
import { isOver } from "../states.ts";
import type { Head } from "../store/fold.ts";
import type { RunStore } from "../store/run.ts";
import { webAddress } from "./address.ts";
import { Copy } from "./copy.tsx";

const PATIENCE = 4000;
const READ = 10_000;

/** What can be done with a run. */
export function Orders({ head, store }: { head: Head; store: RunStore }) {
  const said = store.said.value;
  const listens = !store.gone.value;
  useEffect(() => {
    if (!said?.ok) return undefined;
    const timer = setTimeout(() => {
      store.said.value = null;
    }, READ);
    return () => clearTimeout(timer);
  }, [said, store]);
  const url = webAddress(head.url);
  return (
    <div class="orders">
      {said && (
        <span class="said" data-ok={said.ok} role="status">
          {said.text}
        </span>
      )}
      {listens && !isOver(head.state) && head.state !== "CANCELING" && <Stop store={store} />}
      {listens && (head.state === "FAILED" || head.state === "CANCELED") && (
        <button type="button" onClick={() => order(store, "retry")}>
          Retry
        </button>
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

/** Stops at the second click: the first only asks. */
function Stop({ store }: { store: RunStore }) {
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
    <button type="button" class={sure ? "danger" : ""} onClick={click} onBlur={() => setSure(false)}>
      {sure ? "Stop the run?" : "Stop"}
    </button>
  );
}

function order(store: RunStore, what: "stop" | "retry"): void {
  store.said.value = { text: what === "stop" ? "Stopping…" : "Retrying…", ok: true };
  store.tell({ do: what, id: store.id });
}
