import type { View } from "../../registry.ts";
import { RunsPicture } from "./runs.tsx";
import { RunsStore } from "./store.ts";

/** A table of runs. */
export const runsView: View<RunsStore> = {
  css: "",
  store: (type, id, tell) => new RunsStore(type, id, tell),
  picture: (store) => <RunsPicture store={store} />,
};
