/** The boxes of a run's graph: how large each node is, and what is in which. */
import type { RunStore } from "../store/run.ts";
import type { Stack } from "../store/stack.ts";
import type { Box } from "./arrange.ts";

const CARD_HEIGHT = 48;
const STACK_STEP = 4;
const NARROWEST = 168;
const WIDEST = 260;
const ICON = 26;
const SIDES = 26;
const BADGE = 40;
// an open group has its caption beside its title
const CAPTION = 60;
// pixels a character takes at most, in the fonts that interfaces use
const ADVANCE = 7.4;

export function boxesOf(stacks: readonly Stack[], store: RunStore): Box[] {
  const folded = store.view.folded.value;
  return stacks.map((stack) => {
    const open = stack.group && !folded.has(stack.key);
    return {
      key: stack.key,
      needs: needsOf(stack),
      children: open ? boxesOf(stack.children, store) : [],
      width: widthOf(stack, store.title(stack)) + (open ? CAPTION : 0),
      height: CARD_HEIGHT + sheets(stack, open) * STACK_STEP,
    };
  });
}

/** How many cards show under the first. */
export function sheets(stack: Stack, open: boolean): number {
  if (open && stack.children.length) return 0;
  return Math.min(Math.max(stack.group ? stack.turns : stack.tasks.size, 1) - 1, 2);
}

function needsOf(stack: Stack): string[] {
  const prefix = stack.parent ? `${stack.parent.key}/` : "";
  return [...stack.needs.keys()].map((need) => prefix + need);
}

function widthOf(stack: Stack, title: string): number {
  const wanted = title.length * ADVANCE + ICON + SIDES + BADGE;
  return Math.round(Math.min(Math.max(wanted, NARROWEST), stack.group ? WIDEST + BADGE : WIDEST));
}
