/** Runs `work` in the next frame that the browser draws, once for any number of requests. */
export class Frame {
  #frame = 0;
  readonly #work: () => void;

  constructor(work: () => void) {
    this.#work = work;
  }

  request(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#work();
    });
  }

  cancel(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }
}
