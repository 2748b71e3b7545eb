import { computed, signal } from "@preact/signals";
import type { Followed } from "../store/followed.ts";
import type { RunStore } from "../store/run.ts";
import type { RunsStore } from "../store/runs.ts";
import type { StudyStore } from "../store/study.ts";
import { StudyPicture } from "../study/study.tsx";
import { RunsPicture } from "../table/runs.tsx";
import { RunPicture } from "../ui/run.tsx";
import type { Subject } from "./exhibit.ts";

export function ofRun(store: RunStore): Subject {
  return {
    ...followed(store),
    get known() {
      return store.known;
    },
    picture: () => <RunPicture store={store} />,
    both: computed(() => store.view.tab.value === "report"),
  };
}

export function ofStudy(store: StudyStore): Subject {
  return {
    ...followed(store),
    get known() {
      return store.known;
    },
    picture: () => <StudyPicture store={store} />,
    both: signal(false),
  };
}

function followed(store: Followed): Pick<Subject, "seen" | "ask" | "renew" | "leave"> {
  return {
    seen: () => store.tell({ do: "seen", id: store.id }),
    ask: () => store.tell({ do: "watch", id: store.id }),
    renew: () => store.renew(),
    leave: () => store.tell({ do: "leave", id: store.id }),
  };
}

export function ofRuns(store: RunsStore): Subject {
  return {
    get known() {
      return store.known;
    },
    picture: () => <RunsPicture store={store} />,
    both: signal(false),
    seen: () => undefined,
    ask: () => store.refresh(),
    renew: () => store.refresh(),
    leave: () => undefined,
  };
}
