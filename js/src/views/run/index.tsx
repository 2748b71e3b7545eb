import { computed } from "@preact/signals";
import type { View } from "../../registry.ts";
import graph from "./graph.css?inline";
import { RunPicture } from "./run.tsx";
import { RunStore } from "./store.ts";
import timeline from "./timeline.css?inline";

/** A run: its graph, what ran when, its tasks with their details and logs. */
export const runView: View<RunStore> = {
  css: graph + timeline,
  store: (type, id, send) => new RunStore(type, id, send),
  picture: (store) => <RunPicture store={store} />,
  both: (store) => computed(() => store.view.tab.value === "report"),
};
