import { Answer, Ask } from "../../kit/actions.tsx";
import { Copy } from "../../kit/copy.tsx";
import { Html } from "../../kit/html.tsx";
import type { ServiceHead } from "../../protocol.ts";
import type { Action } from "../../store/followed.ts";
import type { ServiceStore } from "./store.ts";

const WORDS: Readonly<Record<string, string>> = { promote: "Promote", rollback: "Roll back", stop: "Stop" };

/** A service: what can be done with it, above its sections. */
export function ServicePicture({ store }: { store: ServiceStore }) {
  const head = store.head.value;
  if (!head) return null;
  return (
    <section class="kfnb" data-gone={store.gone.value !== ""} aria-label={`Service ${head.name}, live`}>
      <Actions head={head} store={store} />
      {[...store.sections.value].map(([id, html]) => html && <Html key={id} html={html} />)}
      {store.gone.value && <p class="note">{store.gone.value}</p>}
    </section>
  );
}

function Actions({ head, store }: { head: ServiceHead; store: ServiceStore }) {
  const { generation, over, actions, lines } = head;
  return (
    <div class="orders service-orders">
      <Answer over={over} what="service" store={store} />
      {!store.gone.value &&
        actions
          .filter(([action]) => WORDS[action])
          .map(([action, question]) => (
            <Ask key={action} question={question} act={() => store.act(action as Action, { generation })}>
              {WORDS[action]}
            </Ask>
          ))}
      {lines.map(([language, line]) => (
        <Copy key={language} text={line} label={`Copy the line for ${language}: ${line}`}>
          Copy {language}
        </Copy>
      ))}
    </div>
  );
}
