/**
 * Remembers which element in `area` has the focus, also when it is taken out of the page, which loses the focus:
 * `current` is null only once a person has gone elsewhere. `signal` ends it.
 */
export class Focus {
  current: HTMLElement | null = null;

  constructor(area: HTMLElement | ShadowRoot, signal?: AbortSignal) {
    const options = signal ? { signal } : {};
    const takes = ({ target }: Event) => {
      this.current = target as HTMLElement;
    };
    const gives = ({ target }: Event) => {
      // browsers differ in whether they tell of it before or after the element has gone
      setTimeout(() => {
        if (this.current === target && wasLeft(target as HTMLElement)) this.current = null;
      });
    };
    area.addEventListener("focusin", takes, options);
    area.addEventListener("focusout", gives, options);
  }
}

function wasLeft(element: HTMLElement): boolean {
  return element.isConnected && (element.getRootNode() as Document | ShadowRoot).activeElement !== element;
}

/** Whether nothing in the page has the focus, so that it can be taken. */
export function isFree(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}
