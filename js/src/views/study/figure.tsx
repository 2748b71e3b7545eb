import type { ComponentChildren } from "preact";

export interface Key {
  sign: string;
  /** The name of a CSS variable. */
  colour: string;
  words: string;
}

interface Props {
  title: string;
  about?: ComponentChildren;
  keys?: readonly Key[];
  note?: string | undefined;
  children: ComponentChildren;
}

/** A chart under its title, with its legend. */
export function Figure({ title, about, keys = [], note, children }: Props) {
  return (
    <figure class="figure">
      <figcaption>
        <b>{title}</b> {about && <span class="soft">{about}</span>}
      </figcaption>
      {children}
      {(keys.length > 0 || note) && (
        <div class="legend soft">
          {keys.map((key) => (
            <span key={key.words}>
              <b style={`color:var(--${key.colour})`}>{key.sign}</b> {key.words}
            </span>
          ))}
          {note && <span>{note}</span>}
        </div>
      )}
    </figure>
  );
}
