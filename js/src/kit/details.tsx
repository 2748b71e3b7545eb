import { useLayoutEffect, useRef } from "preact/hooks";
import type { Followed } from "../store/followed.ts";
import { Waiting } from "./waiting.tsx";

interface Props {
  /** What names the task or the trial, in messages. */
  part: string;
  /** Another one each time that there may be more to know. */
  version: string;
  store: Followed;
  /** Adds to the HTML what makes it live. */
  adorn?: (details: HTMLElement, part: string) => void;
}

/** All of a task or a trial: HTML that kfnb's widgets wrote and escaped. */
export function Details({ part, version, store, adorn }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const html = store.details.value.get(part);
  // asked anew when it has gone on
  useLayoutEffect(() => store.requestDetail(part), [part, version, store.renewed.value]);
  useLayoutEffect(() => {
    if (!box.current || html === undefined) return;
    box.current.innerHTML = html;
    adorn?.(box.current, part);
  }, [html, part, adorn]);
  return (
    <div class="section" role="tabpanel" aria-label="Details">
      {html === undefined && <Waiting gone={store.gone.value !== ""} />}
      <div ref={box} class="details" />
    </div>
  );
}
