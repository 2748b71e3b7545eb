/** The module that kfnb's one anywidget model a kernel runs in the page. It is never rendered: it finds its places. */
import type { Model } from "./kernel.ts";
import { Page } from "./page.ts";
import { saveWithoutModule } from "./saved.ts";

export default {
  initialize({ model, signal }: { model: Model; signal?: AbortSignal }): void {
    void saveWithoutModule(model, String(model.get("token")));
    new Page(model, signal ?? new AbortController().signal);
  },
};
