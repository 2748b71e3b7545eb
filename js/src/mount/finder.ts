/**
 * Look for the static pictures that bear `token`, now and as they come; `changed` gets those that are new, and is also
 * called when something has gone. JupyterLab's page changes all the time: only what is added is looked at.
 */
export function find(token: string, changed: (found: HTMLElement[]) => void, signal: AbortSignal): void {
  const selector = `[data-kfnb=${JSON.stringify(token)}]`;
  const observer = new MutationObserver((records) => {
    const found = new Set<HTMLElement>();
    let gone = false;
    for (const record of records) {
      gone ||= record.removedNodes.length > 0;
      for (const node of record.addedNodes) collect(node, selector, found);
    }
    if (gone || found.size) changed([...found]);
  });
  observer.observe(document, { childList: true, subtree: true });
  signal.addEventListener("abort", () => observer.disconnect());
  changed([...document.querySelectorAll<HTMLElement>(selector)]);
}

function collect(node: Node, selector: string, found: Set<HTMLElement>): void {
  if (!(node instanceof Element)) return;
  if (node instanceof HTMLElement && node.matches(selector)) found.add(node);
  for (const inner of node.querySelectorAll<HTMLElement>(selector)) found.add(inner);
}
