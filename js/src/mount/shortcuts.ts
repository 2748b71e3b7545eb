const SUPPRESS = "data-lm-suppress-shortcuts";

/**
 * What is typed in a live picture is not a command to JupyterLab ("dd" in a search box must not delete a cell); but with
 * Ctrl or Cmd it is, so that the notebook can be saved from anywhere. JupyterLab listens at the document: before it,
 * at the window, each key decides.
 */
export function sortKeys(signal: AbortSignal): void {
  const decide = (event: KeyboardEvent) => {
    if (!(event.target instanceof HTMLElement) || event.target.dataset.kfnbLive === undefined) return;
    if (event.ctrlKey || event.metaKey) event.target.removeAttribute(SUPPRESS);
    else event.target.setAttribute(SUPPRESS, "true");
  };
  window.addEventListener("keydown", decide, { capture: true, signal });
}
