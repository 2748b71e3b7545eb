import type { ReadonlySignal } from "@preact/signals";
import type { VNode } from "preact";
import { Root } from "./root.ts";

/** What is shown: a run, or a table of runs. */
export interface Subject {
  /** Whether there is anything to show yet. */
  readonly known: boolean;
  picture(): VNode;
  /** Whether the static picture is to be seen too, below the live one. */
  readonly both: ReadonlySignal<boolean>;
  /** Ask the kernel for it. */
  ask(): void;
  /** Ask for all that is asked for at the moment once more: the answers may be lost. */
  renew(): void;
  /** Tell the kernel that it is seen. */
  seen(): void;
  /** Tell the kernel that nobody looks. */
  leave(): void;
}

// an element that is replaced by a newer one may be gone for a moment
const GRACE = 1000;
const PATIENCE = 5000;

/** All the places in the page that show one subject. */
export class Exhibit {
  readonly #homes = new Set<HTMLElement>();
  #roots: Root[] = [];
  #asked = 0;
  /** Whether the kernel was told that nobody looks, so that what is known may be old. */
  #left = false;
  #timer = 0;

  constructor(readonly subject: Subject) {}

  get empty(): boolean {
    return this.#homes.size === 0 && this.#roots.length === 0;
  }

  add(home: HTMLElement): void {
    const first = this.empty;
    this.#homes.add(home);
    if (this.#left || !this.subject.known) this.ask();
    else if (first) this.subject.seen();
  }

  /** Ask the kernel, unless it was asked just now. */
  ask(): void {
    if (Date.now() - this.#asked < PATIENCE) return;
    this.#asked = Date.now();
    this.subject.ask();
  }

  renew(): void {
    if (this.empty) this.#left = true;
    else this.subject.renew();
  }

  answered(): void {
    this.#asked = 0;
    this.#left = false;
    this.settle();
  }

  /** Make the pictures stand where there are places for them. */
  settle(): void {
    for (const home of this.#homes) if (!home.isConnected) this.#homes.delete(home);
    if (this.subject.known) for (const home of this.#homes) this.#fill(home);
    if (this.#spare().length && !this.#timer) this.#timer = window.setTimeout(() => this.#clear(), GRACE);
  }

  #fill(home: HTMLElement): void {
    const own = this.#roots.find((root) => root.home === home);
    if (own?.inPlace) return;
    const root = own ?? this.#spare()[0] ?? this.#make();
    root.moveTo(home);
  }

  #make(): Root {
    const root: Root = new Root(this.subject.picture(), this.subject.both, () => this.#yield(root));
    this.#roots.push(root);
    return root;
  }

  /** Another end of the same kernel shows it in that place now, and goes on talking to the kernel. */
  #yield(root: Root): void {
    if (root.home) this.#homes.delete(root.home);
    this.#drop(root);
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
    this.#asked = 0;
    this.#left = true;
    this.subject.leave();
  }
}
