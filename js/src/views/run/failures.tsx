import { Sign } from "../../kit/sign.tsx";
import { many } from "../../kit/words.ts";
import type { RunHead, RunTask } from "../../protocol.ts";
import type { RunStore } from "./store.ts";

const SHOWN = 3;
const BEGINNING = 100;

/** Why a run failed: the tasks' own errors, else the run's. */
export function Failures({ head, store }: { head: RunHead; store: RunStore }) {
  store.changed.value;
  const failed = [...(store.fold.value?.tasks.values() ?? [])].filter(isCause);
  const own = head.error && !failed.some((task) => task.error && head.error.includes(beginning(task.error)));
  if (!failed.length && !head.error) return null;
  return (
    <div class="alert" role="alert">
      {failed.slice(0, SHOWN).map((task) => (
        <Failure key={task.id} task={task} store={store} />
      ))}
      {failed.length > SHOWN && (
        <div class="soft">{many(failed.length - SHOWN, "more task").replace(/s?$/, "s")} failed</div>
      )}
      {own && (
        <div class="failure">
          <Sign state="FAILED" />
          <div>
            <b>The run failed</b>
            <div class="message">{head.error}</div>
          </div>
        </div>
      )}
    </div>
  );
}

/** What is left of a long text wherever it was cut. */
function beginning(text: string): string {
  return text.slice(0, BEGINNING);
}

function isCause(task: RunTask): boolean {
  return task.state === "FAILED" && !task.group;
}

function Failure({ task, store }: { task: RunTask; store: RunStore }) {
  const label = task.turn.length ? ` ${store.label(task)}` : "";
  return (
    <div class="failure">
      <Sign state="FAILED" />
      <div>
        <button type="button" class="link" onClick={() => store.view.show(task.path.join("/"), task.id)}>
          {`${task.name}${label} failed`}
        </button>
        {task.place && <span class="soft">{` (${task.place})`}</span>}
        <div class="message">{task.error || "It left no message; its log may say why."}</div>
      </div>
    </div>
  );
}
