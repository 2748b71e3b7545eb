import { Html } from "../../kit/html.tsx";
import type { View } from "../../registry.ts";
import { StaticStore } from "./store.ts";

/** A type without its own view: the static HTML that kfnb wrote and escaped, drawn anew by the kernel. */
export const staticView: View<StaticStore> = {
  css: "",
  store: (type, id, send) => new StaticStore(type, id, send),
  picture: (store) => <StaticPicture store={store} />,
};

function StaticPicture({ store }: { store: StaticStore }) {
  return (
    <section class="kfnb" data-gone={store.gone.value !== ""}>
      <Html html={store.html.value ?? ""} />
      {store.gone.value && <p class="note">{store.gone.value}</p>}
    </section>
  );
}
