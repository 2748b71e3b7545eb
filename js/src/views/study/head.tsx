import { Answer, Stop } from "../../kit/actions.tsx";
import { Copy } from "../../kit/copy.tsx";
import { Elapsed } from "../../kit/elapsed.tsx";
import { Pill } from "../../kit/pill.tsx";
import { Sign } from "../../kit/sign.tsx";
import { isOver } from "../../kit/states.ts";
import { joined, moment } from "../../kit/words.ts";
import type { StudyHead } from "../../protocol.ts";
import { Best } from "./best.tsx";
import { Progress } from "./progress.tsx";
import type { StudyStore } from "./store.ts";

/** A study's summary and state; its best trial. */
export function StudyTitle({ store }: { store: StudyStore }) {
  const head = store.head.value;
  if (!head) return null;
  const over = isOver(head.state);
  return (
    <header class="head">
      <div class="head-line">
        <Pill state={head.state} />
        <h3>{head.name}</h3>
        <span class="soft">
          <Elapsed began={head.started} finished={head.finished} />
        </span>
        <div class="orders">
          <Answer over={over} what="study" store={store} />
          {!store.gone.value && !over && head.state !== "CANCELING" && <Stop what="study" store={store} />}
          <Copy text={head.name}>Copy name</Copy>
        </div>
      </div>
      <div class="soft facts">{facts(head)}</div>
      {head.error && (
        <div class="alert" role="alert">
          <div class="failure">
            <Sign state="FAILED" />
            <div>
              <b>The study failed</b>
              <div class="message">{head.error}</div>
            </div>
          </div>
        </div>
      )}
      {head.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {store.gone.value && <p class="note">{store.gone.value}</p>}
      <Best head={head} store={store} />
      <Progress head={head} store={store} />
    </header>
  );
}

function facts(head: StudyHead): string {
  return joined(
    `${head.maximize ? "maximize" : "minimize"} ${head.metric}`,
    head.subject && head.subject !== head.name && `of ${head.subject}`,
    head.algorithm,
    head.stopping && `early stopping ${head.stopping}`,
    head.parallel > 1 && `${head.parallel} at once`,
    head.backend,
    moment(head.started ?? head.created),
  );
}
