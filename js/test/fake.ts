/** A kernel's model, played by the test, and what the page said to it. */

import live from "../src/index.ts";
import type { Model } from "../src/kernel.ts";
import type { PageMessage, PageRequest } from "../src/protocol.ts";

type Watcher = (sender: unknown, status: string) => void;
type Listener = (content: unknown, buffers?: DataView[]) => void;

export class FakeModel implements Model {
  readonly sent: PageRequest[] = [];
  readonly #listeners = new Set<Listener>();
  /** Whether its kernel has gone without telling it. */
  broken = false;
  readonly #watchers = new Set<Watcher>();
  readonly #changes = {
    connect: (watcher: Watcher) => this.#watchers.add(watcher),
    disconnect: (watcher: Watcher) => this.#watchers.delete(watcher),
  };
  // their words differ, so that one set of watchers does for both
  readonly widget_manager = {
    kernel: { statusChanged: this.#changes, connectionStatusChanged: this.#changes },
  };

  constructor(readonly token = "T") {}

  get(name: string): unknown {
    return name === "token" ? this.token : undefined;
  }

  on(_event: string, listener: Listener): void {
    this.#listeners.add(listener);
  }

  off(_event: string, listener: Listener): void {
    this.#listeners.delete(listener);
  }

  send(content: unknown): void {
    if (this.broken) throw new Error("Cannot send");
    this.sent.push(content as PageRequest);
  }

  /** The status of the kernel, or of the connection to it, as JupyterLab knows it. */
  become(status: string): void {
    for (const watcher of [...this.#watchers]) watcher(null, status);
  }

  say(message: PageMessage, ...buffers: DataView[]): void {
    for (const listener of this.#listeners) listener(message, buffers);
  }

  asked(what: PageRequest["do"]): PageRequest[] {
    return this.sent.filter((message) => message.do === what);
  }
}

/** A page with a live model; `end` takes it away. */
export function start(token = "T"): { model: FakeModel; end: () => void } {
  const model = new FakeModel(token);
  const ending = new AbortController();
  live.initialize({ model, signal: ending.signal });
  return { model, end: () => ending.abort() };
}

/** Put a static picture into the page, as JupyterLab does. */
export function place(type: string, id: string, token = "T"): HTMLElement {
  const element = document.createElement("div");
  element.dataset.kfnb = token;
  element.dataset.kfnbType = type;
  element.dataset.kfnbId = id;
  element.innerHTML = '<div class="static">as it was</div>';
  document.body.append(element);
  return element;
}

export function shadowOf(element: HTMLElement): ShadowRoot | null {
  return element.querySelector("[data-kfnb-live]")?.shadowRoot ?? null;
}

/** Let observers, frames and effects do their work. */
export async function settle(milliseconds = 60): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** In a page that is drawn nowhere, everything would be 0 wide. */
export function giveSize(width = 900, height = 400): void {
  for (const [name, value] of Object.entries({ clientWidth: width, clientHeight: height }))
    Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => value });
}
