// The contrast (WCAG 2) of all words and marks below an element, as they are drawn: those that have too little.
(root) => {
  const parse = (text) => {
    const canvas = (window.__kfnbPen ??= Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true }));
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = "rgba(0,0,0,0)";
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], [x, y, z]) => [r * a + x * (1 - a), g * a + y * (1 - a), b * a + z * (1 - a), 1];
  const above = (node) => node.assignedSlot ?? node.parentElement ?? node.getRootNode().host ?? null;
  const seen = (node) => {
    const chain = [];
    for (let at = node; at; at = above(at)) chain.push(at);
    return chain;
  };
  const paper = (node) => {
    let colour = [255, 255, 255, 1];
    for (const at of seen(node).reverse()) {
      const style = getComputedStyle(at);
      colour = over(parse(style.backgroundColor), colour);
    }
    return colour;
  };
  const opacity = (node) => seen(node).reduce((all, at) => all * Number(getComputedStyle(at).opacity), 1);
  const light = ([r, g, b]) => {
    const part = (value) => (value / 255 <= 0.03928 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const wrong = [];
  let checked = 0;
  const check = (what, node, text, ground, least) => {
    const [r, g, b, a] = parse(text);
    const found = ratio(over([r, g, b, a * opacity(node)], ground), ground);
    checked += 1;
    if (found < least - 0.005) wrong.push(`${found.toFixed(2)} < ${least}: ${what} (${text} in ${node.tagName}.${node.getAttribute("class") ?? ""})`);
  };
  const visible = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && node.checkVisibility({ visibilityProperty: true });
  };
  const words = (node) => [...node.childNodes].filter((one) => one.nodeType === 3).map((one) => one.textContent.trim()).join(" ").trim();
  const visit = (node) => {
    if (node instanceof Element && visible(node) && !(node instanceof HTMLIFrameElement)) {
      const style = getComputedStyle(node);
      const said = words(node);
      const disabled = node.closest(":disabled");
      if (said && !disabled) {
        const inSvg = node instanceof SVGElement;
        const text = inSvg ? style.fill : style.color;
        // a single sign (an icon, an arrow) is a mark
        check(said.slice(0, 40), node, text, paper(node), /[\p{L}\p{N}]/u.test(said) ? 4.5 : 3);
      }
      // marks: what is drawn in a state's or a series' colour; lines of tables and grids only divide
      if (node instanceof SVGGeometryElement && !node.closest("[data-decoration]")) {
        const parts = [style.fill, style.stroke].map(parse).map(([r, g, b, a], i) => [r, g, b, a * Number(i ? style.strokeOpacity : style.fillOpacity)]);
        const strongest = parts.filter(([, , , a]) => a > 0).map((one) => ratio(over(one, paper(node)), paper(node)));
        const coloured = parts.some(([r, g, b, a]) => a > 0.3 && Math.max(r, g, b) - Math.min(r, g, b) > 40);
        if (coloured) {
          checked += 1;
          if (Math.max(...strongest) < 2.995) wrong.push(`${Math.max(...strongest).toFixed(2)} < 3: a mark (${style.fill}, ${style.stroke} in ${node.outerHTML.slice(0, 80)})`);
        }
      }
      if (node.matches(".card, .pill, .bar-of")) check("a border", node, node.matches(".bar-of") ? style.backgroundColor : style.borderTopColor, paper(above(node)), node.matches(".bar-of[data-kind=attempt], [data-cached=true] .bar-of") ? 0 : 3);
    }
    if (node instanceof HTMLIFrameElement) return;
    for (const child of node.shadowRoot ? [...node.shadowRoot.children, ...node.children] : node.children ?? []) visit(child);
  };
  visit(root);
  return { checked, wrong };
};
