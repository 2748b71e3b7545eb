import type { PageMessage, PageRequest } from "./protocol.ts";

/** What we need of anywidget's model. */
export interface Model {
  get(name: string): unknown;
  on(event: string, callback: (content: unknown, buffers?: DataView[]) => void): void;
  off(event: string, callback: (content: unknown, buffers?: DataView[]) => void): void;
  send(content: unknown): void;
  /** JupyterLab's, which knows its kernel and all models; other pages have another, or none. */
  widget_manager?: {
    kernel?: { statusChanged?: Changes; connectionStatusChanged?: Changes } | null;
    get_model?(id: string): Promise<unknown>;
  };
}

/** A signal of JupyterLab's. */
interface Changes {
  connect(callback: (sender: unknown, status: string) => void): unknown;
  disconnect(callback: (sender: unknown, status: string) => void): unknown;
}

export type Send = (message: PageRequest) => void;
export type Receive = (message: PageMessage, buffers: DataView[]) => void;

// a kernel that is started anew knows nothing of what was shown before
const GONE = new Set(["restarting", "autorestarting", "terminating", "dead"]);

/** How messages reach the kernel, until `signal` ends. */
export interface Line {
  send: Send;
  signal: AbortSignal;
}

/**
 * Receive what the kernel says until `signal` ends it, or the kernel has ended; `again` is called when it is connected
 * anew: messages in between may be lost.
 */
export function connect(model: Model, receive: Receive, again: () => void, signal: AbortSignal): Line {
  const end = new AbortController();
  const listen = (content: unknown, buffers?: DataView[]) => {
    if (isMessage(content)) receive(content, buffers ?? []);
  };
  model.on("msg:custom", listen);
  signal.addEventListener("abort", () => end.abort());
  end.signal.addEventListener("abort", () => model.off("msg:custom", listen));
  const kernel = model.widget_manager?.kernel;
  watch(kernel?.statusChanged, end.signal, (status) => GONE.has(status) && end.abort());
  watch(kernel?.connectionStatusChanged, end.signal, (status) => status === "connected" && again());
  return { send: (message) => send(model, message, end), signal: end.signal };
}

function watch(changes: Changes | undefined, signal: AbortSignal, act: (status: string) => void): void {
  const callback = (_sender: unknown, status: string) => act(status);
  changes?.connect(callback);
  signal.addEventListener("abort", () => changes?.disconnect(callback));
}

/** Where a model cannot send any more, its kernel has gone without a word. */
function send(model: Model, message: PageRequest, end: AbortController): void {
  if (end.signal.aborted) return;
  try {
    model.send(message);
  } catch {
    end.abort();
  }
}

function isMessage(content: unknown): content is PageMessage {
  return typeof content === "object" && content !== null && "kind" in content;
}
