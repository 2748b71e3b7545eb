/** Artifacts that a person downloads: the kernel sends them piece by piece, each when the one before has come. */

import { save } from "../../kit/save.ts";
import type { PieceMessage } from "../../protocol.ts";
import type { RunStore } from "./store.ts";

const DONE = 2000;

interface Going {
  pieces: DataView[];
  got: number;
  /** Show how it goes. */
  say: (text: string) => void;
}

/** The downloads of one run. */
export class Downloads {
  readonly #going = new Map<string, Going>();

  constructor(readonly store: RunStore) {}

  begin(task: string, artifact: string, say: (text: string) => void): void {
    this.#going.set(key(task, artifact), { pieces: [], got: 0, say });
    say("0%");
    this.#ask(task, artifact, 0);
  }

  take(message: PieceMessage, buffers: DataView[]): void {
    const { part: task, artifact, error, first, size } = message;
    const going = this.#going.get(key(task, artifact));
    if (!going || (!error && first !== going.got)) return;
    if (error) {
      this.#end(task, artifact, "");
      this.store.message.value = { text: error, ok: false };
      return;
    }
    going.pieces.push(...buffers);
    going.got += buffers.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (going.got < size) {
      going.say(`${Math.floor((100 * going.got) / size)}%`);
      this.#ask(task, artifact, going.got);
      return;
    }
    // as bytes of no type: a page that a step wrote is not opened
    save(message.name, going.pieces as BlobPart[], "application/octet-stream");
    this.#end(task, artifact, "Saved");
  }

  /** Nothing more will come. */
  stop(): void {
    for (const { say } of this.#going.values()) say("");
    this.#going.clear();
  }

  #ask(task: string, artifact: string, first: number): void {
    this.store.send({ do: "fetch", type: this.store.type, id: this.store.id, part: task, artifact, first });
  }

  #end(task: string, artifact: string, word: string): void {
    const going = this.#going.get(key(task, artifact));
    this.#going.delete(key(task, artifact));
    going?.say(word);
  }
}

/** A button for each artifact in the details of a task. */
export function addButtons(details: HTMLElement, task: string, store: RunStore): void {
  for (const marked of details.querySelectorAll<HTMLElement>("[data-kfnb-artifact]")) {
    const artifact = marked.dataset.kfnbArtifact ?? "";
    marked.prepend(
      button(artifact.slice(artifact.indexOf("/") + 1), (say) => store.downloads.begin(task, artifact, say)),
    );
  }
}

function button(name: string, begin: (say: (text: string) => void) => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "download";
  made.textContent = "Download";
  made.setAttribute("aria-label", `Download ${name}`);
  made.title = `Download ${name}, up to 100 MB; a folder as a zip file`;
  const say = (text: string) => {
    // not disabled, which would take the keyboard's focus away
    made.setAttribute("aria-busy", String(text.endsWith("%")));
    made.textContent = text || "Download";
    if (text === "Saved") setTimeout(() => say(""), DONE);
  };
  made.addEventListener("click", (event) => {
    event.stopPropagation();
    if (made.getAttribute("aria-busy") !== "true") begin(say);
  });
  return made;
}

function key(task: string, artifact: string): string {
  return `${task}\n${artifact}`;
}
