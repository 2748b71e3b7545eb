import { useLayoutEffect, useRef } from "preact/hooks";
import type { Task } from "../protocol.ts";
import type { RunStore } from "../store/run.ts";
import { Waiting } from "../ui/waiting.tsx";

/** A task's error, inputs, outputs and artifacts: HTML that kfnb's widgets wrote and escaped. */
export function Details({ task, store }: { task: Task; store: RunStore }) {
  const box = useRef<HTMLDivElement>(null);
  const html = store.details.value.get(task.id);
  // asked anew when the task has gone on
  useLayoutEffect(
    () => store.tell({ do: "detail", id: store.id, task: task.id }),
    [task.id, task.state, task.attempts, store.renewed.value],
  );
  useLayoutEffect(() => {
    if (box.current && html !== undefined) box.current.innerHTML = html;
  }, [html]);
  return (
    <div class="section" role="tabpanel" aria-label="Details">
      {html === undefined && <Waiting gone={store.gone.value !== ""} />}
      <div ref={box} class="details" />
    </div>
  );
}
