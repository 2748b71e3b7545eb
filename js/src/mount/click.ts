/**
 * Makes a click of a press that began before a picture was moved and ends after it, on the same element: a browser
 * forgets where a press began when that is taken out of the page, and a notebook replaces its outputs at any moment.
 */
export class MovedClick {
  #pressed: EventTarget | null = null;
  #moved = false;

  constructor(area: ShadowRoot) {
    area.addEventListener("pointerdown", (event) => {
      this.#pressed = (event as PointerEvent).button === 0 ? event.target : null;
      this.#moved = false;
    });
    area.addEventListener("pointerup", ({ target }) => {
      if (this.#moved && target === this.#pressed && target instanceof HTMLElement) target.click();
      this.#pressed = null;
    });
  }

  /** The picture has been moved. */
  moved(): void {
    this.#moved = true;
  }
}
