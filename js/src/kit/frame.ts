/** Runs `work` in the next frame that the browser draws, once for however many asked. */
export class Frame {
  #asked = 0;
  readonly #work: () => void;

  constructor(work: () => void) {
    this.#work = work;
  }

  ask(): void {
    this.#asked ||= requestAnimationFrame(() => {
      this.#asked = 0;
      this.#work();
    });
  }

  cancel(): void {
    cancelAnimationFrame(this.#asked);
    this.#asked = 0;
  }
}
