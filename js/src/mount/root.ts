import type { ReadonlySignal } from "@preact/signals";
import { render, type VNode } from "preact";
import { Focus, isFree } from "../kit/focus.ts";
import shared from "../kit/styles/index.ts";
import { MovedClick } from "./click.ts";

const REPLACED = "kfnb-replaced";

/** A live picture in a shadow root, which may be moved from one static picture to another. */
export class Root {
  readonly #host = document.createElement("div");
  readonly #box = document.createElement("div");
  readonly #scrolled = new Map<Element, [left: number, top: number]>();
  #home: HTMLElement | null = null;
  #hidden: { element: HTMLElement; display: string }[] = [];
  readonly #held: Focus;
  readonly #press: MovedClick;
  readonly #forget: () => void;

  /**
   * `both` says whether the static picture shows too; `replaced` is called when another kernel's end has taken the
   * place: then this one keeps away.
   */
  constructor(
    picture: VNode,
    css: string,
    readonly both: ReadonlySignal<boolean>,
    replaced: () => void,
  ) {
    this.#host.dataset.kfnbLive = "";
    // what is typed here is not a command to JupyterLab: "dd" in a search box must not delete a cell
    this.#host.setAttribute("data-lm-suppress-shortcuts", "true");
    const shadow = this.#host.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = shared + css;
    shadow.append(style, this.#box);
    this.#held = new Focus(shadow);
    this.#press = new MovedClick(shadow);
    this.#remember(shadow);
    this.#host.addEventListener(REPLACED, replaced);
    render(picture, this.#box);
    this.#forget = both.subscribe(() => this.#home && this.#cover(this.#home));
  }

  get home(): HTMLElement | null {
    return this.#home;
  }

  get inPlace(): boolean {
    return this.#host.isConnected && this.#host.parentElement === this.#home;
  }

  /** Take the place of what an element holds. */
  moveTo(home: HTMLElement): void {
    if (this.#home !== home) this.#unveil();
    this.#home = home;
    for (const child of home.querySelectorAll(":scope > [data-kfnb-live]"))
      if (child !== this.#host) replace(child);
    this.#cover(home);
    if (this.#host.parentElement !== home) home.prepend(this.#host);
    this.#press.moved();
    for (const [element, [left, top]] of this.#scrolled) element.scrollTo(left, top);
    if (isFree()) this.#held.current?.focus({ preventScroll: true });
  }

  /** Give the place back to what was there. */
  dispose(): void {
    this.#forget();
    render(null, this.#box);
    this.#host.remove();
    this.#unveil();
    this.#home = null;
  }

  #cover(home: HTMLElement): void {
    if (this.both.peek()) this.#unveil();
    else this.#veil(home);
  }

  #veil(home: HTMLElement): void {
    for (const element of home.children) {
      if (element === this.#host || !(element instanceof HTMLElement)) continue;
      if (this.#hidden.some((known) => known.element === element)) continue;
      this.#hidden.push({ element, display: element.style.display });
      element.style.display = "none";
    }
  }

  #unveil(): void {
    for (const { element, display } of this.#hidden) element.style.display = display;
    this.#hidden = [];
  }

  /** A move loses where things were scrolled to. */
  #remember(shadow: ShadowRoot): void {
    const scroll = ({ target }: Event) => {
      if (target instanceof Element && this.inPlace)
        this.#scrolled.set(target, [target.scrollLeft, target.scrollTop]);
    };
    shadow.addEventListener("scroll", scroll, { capture: true, passive: true });
  }
}

/** Another module's picture: no one else may call it, so an event reaches it. */
function replace(host: Element): void {
  host.dispatchEvent(new Event(REPLACED));
  host.remove();
}
