import type { View } from "../../registry.ts";
import { StudyStore } from "./store.ts";
import css from "./study.css?inline";
import { StudyPicture } from "./study.tsx";

/** A study: its trials by their values, in charts and in a table. */
export const studyView: View<StudyStore> = {
  css,
  store: (type, id, send) => new StudyStore(type, id, send),
  picture: (store) => <StudyPicture store={store} />,
};
