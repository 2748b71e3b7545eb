import type { FromKernel, ToKernel } from "./protocol.ts";

/** What we need of anywidget's model. */
export interface Model {
  get(name: string): unknown;
  on(event: string, callback: (content: unknown, buffers?: DataView[]) => void): void;
  off(event: string, callback: (content: unknown, buffers?: DataView[]) => void): void;
  send(content: unknown): void;
}

export type Tell = (message: ToKernel) => void;
export type Hear = (message: FromKernel, buffers: DataView[]) => void;

/** Hear what the kernel says until `signal` ends it; what comes back speaks to the kernel. */
export function connect(model: Model, hear: Hear, signal: AbortSignal): Tell {
  const listen = (content: unknown, buffers?: DataView[]) => {
    if (isMessage(content)) hear(content, buffers ?? []);
  };
  model.on("msg:custom", listen);
  signal.addEventListener("abort", () => model.off("msg:custom", listen));
  return (message) => {
    if (!signal.aborted) model.send(message);
  };
}

function isMessage(content: unknown): content is FromKernel {
  return typeof content === "object" && content !== null && "kind" in content;
}
