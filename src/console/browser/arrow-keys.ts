const FORWARD = new Set(['ArrowDown', 'ArrowRight']);
const BACKWARD = new Set(['ArrowUp', 'ArrowLeft']);

/** Many things that stand together are one stop of the tab key; arrows lead from one to the next, Home and End to the ends. */
export function oneTabStop(group: HTMLElement, items: readonly HTMLElement[]): void {
  const choose = (chosen: HTMLElement | undefined): void => {
    for (const item of items) item.tabIndex = item === chosen ? 0 : -1;
  };
  choose(items[0]);
  group.addEventListener('focusin', ({ target }) => {
    const item = items.find((one) => one === target);
    if (item !== undefined) choose(item);
  });
  withArrows(group, items);
}

/** Arrows lead from one to the next. */
export function withArrows(group: HTMLElement, items: readonly HTMLElement[]): void {
  group.addEventListener('keydown', (event) => {
    const at = items.findIndex((item) => item === document.activeElement);
    const to = nextOf(event.key, at, items.length);
    if (to === undefined) return;
    event.preventDefault();
    items[to]?.focus();
  });
}

function nextOf(key: string, at: number, count: number): number | undefined {
  if (count === 0) return undefined;
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (FORWARD.has(key)) return (at + 1) % count;
  return BACKWARD.has(key) ? (Math.max(at, 0) - 1 + count) % count : undefined;
}
