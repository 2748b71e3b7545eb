import { computed, signal } from "@preact/signals";
import type { Followed } from "../store/followed.ts";
import { RunPicture } from "../views/run/run.tsx";
import type { RunStore } from "../views/run/store.ts";
import { RunsPicture } from "../views/runs/runs.tsx";
import type { RunsStore } from "../views/runs/store.ts";
import type { StudyStore } from "../views/study/store.ts";
import { StudyPicture } from "../views/study/study.tsx";
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
