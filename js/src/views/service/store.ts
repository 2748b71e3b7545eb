import { signal } from "@preact/signals";
import type { Head, Part, ServiceHead, StaticPart } from "../../protocol.ts";
import { Followed } from "../../store/followed.ts";

/** What is known of a service. */
export class ServiceStore extends Followed {
  readonly head = signal<ServiceHead | null>(null);
  /** The HTML of each section, in order; empty for one that has nothing to show. */
  readonly sections = signal<ReadonlyMap<string, string>>(new Map());

  get known(): boolean {
    return this.head.peek() !== null;
  }

  protected get lost(): string {
    const name = this.head.peek()?.name ?? this.id;
    return `The kernel has ended; the service runs on. %kf_services show ${name} shows it.`;
  }

  protected fill(head: Head, parts: readonly Part[]): void {
    this.head.value = head as unknown as ServiceHead;
    this.sections.value = new Map();
    this.#show(parts);
  }

  protected add(head: Head, parts: readonly Part[]): void {
    this.head.value = { ...(this.head.peek() as ServiceHead), ...(head as Partial<ServiceHead>) };
    this.#show(parts);
  }

  #show(parts: readonly Part[]): void {
    if (!parts.length) return;
    const sections = new Map(this.sections.peek());
    for (const { id, html } of parts as unknown as StaticPart[]) sections.set(id, html);
    this.sections.value = sections;
  }
}
