/** What is saved of the model in a notebook, where JupyterLab saves the state of widgets. */
import type { Model } from "./kernel.ts";

interface Saved {
  get_state(...given: unknown[]): Record<string, unknown>;
}

// a notebook holds the pictures, not the model: where it is opened without its kernel, this does nothing
const NOTHING = "export default {};";

/** Leave this module, which is the model's `_esm`, out of what is saved: it would be in each notebook. */
export async function saveWithoutModule(model: Model, id: string): Promise<void> {
  const whole = await found(model, id);
  if (!canBeSaved(whole)) return;
  const state = whole.get_state.bind(whole);
  whole.get_state = (...given) => {
    const all = state(...given);
    return "_esm" in all ? { ...all, _esm: NOTHING } : all;
  };
}

async function found(model: Model, id: string): Promise<unknown> {
  try {
    return await model.widget_manager?.get_model?.(id);
  } catch {
    return undefined;
  }
}

function canBeSaved(model: unknown): model is Saved {
  return typeof (model as Partial<Saved> | undefined)?.get_state === "function";
}
