import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const SHOWN = 1500;

interface Props {
  /** What is copied, or how to get it. */
  text: string | (() => string);
  children: ComponentChildren;
  label?: string;
  /** Whether there is no room for a word. */
  terse?: boolean;
}

/** A button that copies a text. */
export function Copy({ text, children, label, terse }: Props) {
  const [done, setDone] = useState(false);
  useEffect(() => {
    if (!done) return undefined;
    const timer = setTimeout(() => setDone(false), SHOWN);
    return () => clearTimeout(timer);
  }, [done]);
  const click = async (event: MouseEvent) => {
    event.stopPropagation();
    setDone(await copy(typeof text === "string" ? text : text()));
  };
  return (
    <button type="button" onClick={click} aria-label={label} title={label}>
      {done ? (terse ? "✓" : "Copied") : children}
    </button>
  );
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyAsBefore(text);
  }
}

/** The old way, which a page without https still allows. */
function copyAsBefore(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}
