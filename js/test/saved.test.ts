import { afterEach, describe, expect, it } from "vitest";
import live from "../src/index.ts";
import { FakeModel, settle } from "./fake.ts";

const STATE = { _esm: "x".repeat(100_000), token: "T", _model_name: "AnyModel" };

describe("a notebook in which the state of widgets is saved", () => {
  const ending = new AbortController();
  afterEach(() => ending.abort());

  it("gets all of the model but its module", async () => {
    const whole = { get_state: (_drop: boolean) => ({ ...STATE }) };
    const model = new FakeModel("T");
    Object.assign(model.widget_manager, { get_model: async (id: string) => (id === "T" ? whole : {}) });
    live.initialize({ model, signal: ending.signal });
    await settle();
    const saved = whole.get_state(true);
    expect(saved).toEqual({ ...STATE, _esm: expect.any(String) });
    expect(JSON.stringify(saved).length).toBeLessThan(200);
    expect(STATE._esm).toHaveLength(100_000);
  });

  it("is none of our business where there is no manager of widgets", () => {
    const model = new FakeModel("T");
    Object.assign(model.widget_manager, { get_model: () => Promise.reject(new Error("unknown")) });
    expect(() => live.initialize({ model, signal: ending.signal })).not.toThrow();
  });
});
