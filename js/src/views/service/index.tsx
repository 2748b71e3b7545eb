import type { View } from "../../registry.ts";
import css from "./service.css?inline";
import { ServicePicture } from "./service.tsx";
import { ServiceStore } from "./store.ts";

/** A service: its view in sections, as the kernel draws them, and what can be done with it. */
export const serviceView: View<ServiceStore> = {
  css,
  store: (type, id, send) => new ServiceStore(type, id, send),
  picture: (store) => <ServicePicture store={store} />,
};
