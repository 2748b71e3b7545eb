/** The boxes of a run's graph: how large each node is, and what is in which. */

import type { Stack } from "../stack.ts";
import type { RunStore } from "../store.ts";
import type { Box } from "./arrange.ts";
import { longestCaption } from "./caption.ts";

const CARD_HEIGHT = 48;
const STACK_STEP = 4;
const NARROWEST = 168;
const WIDEST = 260;
const ICON = 26;
const SIDES = 26;
const BADGE = 40;
// an open group has its title and its caption in one line
const WIDEST_FRAME = 560;
const FRAME_SIDES = 66;
const COUNT = 34;
// pixels a character takes at most, in the fonts that interfaces use: of a title, of a frame's, of a caption
const ADVANCE = 7.4;
const FRAME_ADVANCE = 7;
const SMALL_ADVANCE = 6.2;

export function boxesOf(stacks: readonly Stack[], store: RunStore): Box[] {
  const folded = store.view.folded.value;
  return inOrder(stacks).map((stack) => {
    const open = stack.group && !folded.has(stack.key);
    return {
      key: stack.key,
      needs: needsOf(stack),
      children: open ? boxesOf(stack.children, store) : [],
      width: open ? frameWidth(stack, store.title(stack)) : cardWidth(stack, store.title(stack)),
      height: CARD_HEIGHT + sheets(stack, open) * STACK_STEP,
    };
  });
}

/** The branches of one condition keep the order in which they were written, whichever was received first. */
function inOrder(stacks: readonly Stack[]): Stack[] {
  const branches = stacks.filter(isBranch).sort((one, other) => numberOf(one) - numberOf(other));
  return stacks.map((stack) => (isBranch(stack) ? (branches.shift() ?? stack) : stack));
}

function isBranch(stack: Stack): boolean {
  return /^condition-\d+$/.test(stack.name);
}

function numberOf(stack: Stack): number {
  return Number(stack.name.slice("condition-".length));
}

/** How many cards show under the first. */
export function sheets(stack: Stack, open: boolean): number {
  if (open && stack.children.length) return 0;
  return Math.min(Math.max(stack.group ? stack.iterations : stack.tasks.size, 1) - 1, 2);
}

function needsOf(stack: Stack): string[] {
  const prefix = stack.parent ? `${stack.parent.key}/` : "";
  return [...stack.needs.keys()].map((need) => prefix + need);
}

function cardWidth(stack: Stack, title: string): number {
  const ideal = title.length * ADVANCE + ICON + SIDES + BADGE;
  return Math.round(Math.min(Math.max(ideal, NARROWEST), stack.group ? WIDEST + BADGE : WIDEST));
}

/** Room for the title and for any caption that there may be: a graph that grows while it runs would jump. */
function frameWidth(stack: Stack, title: string): number {
  const words = title.length * FRAME_ADVANCE + longestCaption(stack) * SMALL_ADVANCE;
  return Math.round(Math.min(words + FRAME_SIDES + (stack.iterations > 1 ? COUNT : 0), WIDEST_FRAME));
}
