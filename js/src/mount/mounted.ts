import { type ReadonlySignal, signal } from "@preact/signals";
import type { View } from "../registry.ts";
import type { Store } from "../store/store.ts";
import { Root } from "./root.ts";

// an element that is replaced by a newer one may be gone for a moment
const GRACE = 1000;
const PATIENCE = 5000;

const NEVER = signal(false);

/** All the places in the page that show one subject. */
export class MountedSubject {
  readonly #homes = new Set<HTMLElement>();
  #roots: Root[] = [];
  #requested = 0;
  /** Whether the kernel knows that no page looks, so that what is known may be old. */
  #left = false;
  #timer = 0;

  constructor(
    readonly store: Store,
    readonly view: View,
  ) {}

  get empty(): boolean {
    return this.#homes.size === 0 && this.#roots.length === 0;
  }

  add(home: HTMLElement): void {
    const first = this.empty;
    this.#homes.add(home);
    if (this.#left || !this.store.known) this.ask();
    else if (first) this.store.seen();
  }

  /** Ask the kernel, unless it was asked just now. */
  ask(): void {
    if (Date.now() - this.#requested < PATIENCE) return;
    this.#requested = Date.now();
    this.store.ask();
  }

  renew(): void {
    if (this.empty) this.#left = true;
    else this.store.renew();
  }

  answered(): void {
    this.#requested = 0;
    this.#left = false;
    this.settle();
  }

  /** Make the pictures stand where there are places for them. */
  settle(): void {
    for (const home of this.#homes) if (!home.isConnected) this.#homes.delete(home);
    if (this.store.known) for (const home of this.#homes) this.#fill(home);
    if (this.#spare().length && !this.#timer) this.#timer = window.setTimeout(() => this.#clear(), GRACE);
  }

  #fill(home: HTMLElement): void {
    const own = this.#roots.find((root) => root.home === home);
    if (own?.inPlace) return;
    const root = own ?? this.#spare()[0] ?? this.#make();
    root.moveTo(home);
  }

  #make(): Root {
    const root: Root = new Root(this.view.picture(this.store), this.view.css, this.#both, () =>
      this.#yield(root),
    );
    this.#roots.push(root);
    return root;
  }

  /** Another end of the same kernel shows it in that place now, and keeps talking to the kernel. */
  #yield(root: Root): void {
    if (root.home) this.#homes.delete(root.home);
    this.#drop(root);
  }

  /** Whether the static picture shows too. */
  get #both(): ReadonlySignal<boolean> {
    return this.view.both?.(this.store) ?? NEVER;
  }

  #drop(root: Root): void {
    root.dispose();
    this.#roots = this.#roots.filter((other) => other !== root);
  }

  /** Pictures without a place. */
  #spare(): Root[] {
    return this.#roots.filter((root) => !root.home || !this.#homes.has(root.home));
  }

  #clear(): void {
    this.#timer = 0;
    for (const root of this.#spare()) this.#drop(root);
    if (!this.empty) return;
    this.#requested = 0;
    this.#left = true;
    this.store.leave();
  }
}
