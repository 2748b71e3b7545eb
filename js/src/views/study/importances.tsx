import { Figure } from "./figure.tsx";
import type { StudyStore } from "./store.ts";

const ONE = 0.01;

/** How much of the objective's variation each parameter explains. */
export function Importances({ store }: { store: StudyStore }) {
  const shares = [...(store.head.value?.importances ?? [])].sort(([, one], [, other]) => other - one);
  const highest = shares[0]?.[1] || 1;
  return (
    <Figure title="Parameter importance">
      {shares.length === 0 ? (
        <p class="soft">Not known yet: it takes a few trials.</p>
      ) : (
        <table class="importances" aria-label="Parameter importance">
          <tbody>
            {shares.map(([name, share]) => (
              <tr key={name}>
                <th scope="row" title={name}>
                  {name}
                </th>
                <td>
                  <span class="importance" style={`width:${(70 * share) / highest}%`} />
                  {share >= ONE ? `${Math.round(100 * share)}%` : "under 1%"}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Figure>
  );
}
