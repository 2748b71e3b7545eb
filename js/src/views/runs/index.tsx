import type { View } from "../../registry.ts";
import { RunsPicture } from "./runs.tsx";
import { RunsStore } from "./store.ts";

/** A table of runs. */
export const runsView: View<RunsStore> = {
  css: "",
  store: (type, id, send) => new RunsStore(type, id, send),
  picture: (store) => <RunsPicture store={store} />,
};
