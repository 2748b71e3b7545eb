/** Give the focus back to the notebook's cell that a picture is in. */
export function focusCell(inside: HTMLElement): void {
  const root = inside.getRootNode();
  if (!(root instanceof ShadowRoot)) return;
  (root.activeElement as HTMLElement | null)?.blur();
  root.host.closest<HTMLElement>(".jp-Cell, .jp-Notebook, .cell")?.focus();
}
