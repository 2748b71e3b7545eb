import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Action, Followed } from "../store/followed.ts";
import { useSlow } from "./slow.ts";

const PATIENCE = 4000;
const READ = 10_000;

function busy(action: Action, what: string): string {
  const promise = {
    stop: `stop the ${what}`,
    retry: "retry",
    promote: "promote the canary",
    rollback: "roll back",
  }[action];
  return `The kernel is busy: it will ${promise} as soon as it is free.`;
}

/** The state of an action, until its effect is shown or the text has been read; an error stays until the next action. */
export function Answer({ over, what, store }: { over: boolean; what: string; store: Followed }) {
  const message = store.message.value;
  const slow = useSlow(message?.action !== undefined);
  useEffect(() => {
    if (!message?.ok || message.action) return undefined;
    const timer = setTimeout(() => {
      store.message.value = null;
    }, READ);
    return () => clearTimeout(timer);
  }, [message, store]);
  // the state of a run that has ended, or continues, replaces any answer
  useEffect(() => {
    if (store.message.peek()?.ok) store.message.value = null;
  }, [over, store]);
  if (!message) return null;
  return (
    <span class="action-message" data-ok={message.ok} role="status">
      {slow && message.action ? busy(message.action, what) : message.text}
    </span>
  );
}

interface AskProps {
  question: string;
  act: () => void;
  children: ComponentChildren;
}

/** Acts at the second click: the first only asks, for a while. (A notebook takes the focus whenever it likes.) */
export function Ask({ question, act, children }: AskProps) {
  const [sure, setSure] = useState("");
  useEffect(() => {
    if (!sure) return undefined;
    const timer = setTimeout(() => setSure(""), PATIENCE);
    return () => clearTimeout(timer);
  }, [sure]);
  // another question has not been asked yet
  const asked = sure === question;
  const click = () => {
    if (asked) act();
    setSure(asked ? "" : question);
  };
  return (
    <button type="button" class={asked ? "danger" : ""} onClick={click}>
      {asked ? question : children}
    </button>
  );
}

/** Stops a run or a study, once asked. */
export function Stop({ what, store }: { what: string; store: Followed }) {
  return (
    <Ask question={`Stop the ${what}?`} act={() => store.act("stop")}>
      Stop
    </Ask>
  );
}
