import { Answer, Stop } from "../../kit/actions.tsx";
import { webAddress } from "../../kit/address.ts";
import { Copy } from "../../kit/copy.tsx";
import { isOver } from "../../kit/states.ts";
import type { RunHead } from "../../protocol.ts";
import type { RunStore } from "./store.ts";

/** What can be done with a run. */
export function Actions({ head, store }: { head: RunHead; store: RunStore }) {
  const listens = !store.gone.value;
  const url = webAddress(head.url);
  return (
    <div class="orders">
      <Answer over={isOver(head.state)} what="run" store={store} />
      {listens && !isOver(head.state) && head.state !== "CANCELING" && <Stop what="run" store={store} />}
      {listens && (head.state === "FAILED" || head.state === "CANCELED") && (
        <button type="button" onClick={() => store.act("retry")}>
          Retry
        </button>
      )}
      {head.command && (
        <Copy text={head.command} label={`Copy the command that runs it again: ${head.command}`}>
          Copy command
        </Copy>
      )}
      <Copy text={store.id}>Copy id</Copy>
      {url && (
        <a class="button" href={url} target="_blank" rel="noopener noreferrer">
          Open in Kubeflow <span aria-hidden="true">↗</span>
        </a>
      )}
    </div>
  );
}
