/**
 * What can be seen live in the page: one row a type. A further one is a folder in `views/` and its row here; a type that
 * has none is shown by the static HTML that the kernel makes of it.
 */
import type { ReadonlySignal } from "@preact/signals";
import type { VNode } from "preact";
import type { Send } from "./kernel.ts";
import type { Store } from "./store/store.ts";
import { runView } from "./views/run/index.tsx";
import { runsView } from "./views/runs/index.tsx";
import { serviceView } from "./views/service/index.tsx";
import { staticView } from "./views/static/index.tsx";
import { studyView } from "./views/study/index.tsx";

/** How subjects of one type are known and shown. */
export interface View<Of extends Store = Store> {
  /** The styles that only this view has. */
  readonly css: string;
  /** What is known of one, nothing yet. */
  store(type: string, id: string, send: Send): Of;
  picture(store: Of): VNode;
  /** Whether the static picture is to be seen too, below the live one; never where it is left out. */
  both?(store: Of): ReadonlySignal<boolean>;
}

const VIEWS: ReadonlyMap<string, View> = new Map<string, View>([
  ["run", runView],
  ["runs", runsView],
  ["service", serviceView],
  ["study", studyView],
]);

export function viewOf(type: string): View {
  return VIEWS.get(type) ?? staticView;
}
