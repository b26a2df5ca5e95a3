/** Shows the expression and the age of a number in a popover next to it. */
import { textOf } from '../unit-text.ts';
import { element } from './element.ts';
import { popoverOf, putBeside } from './popover.ts';

export interface Origin {
  readonly expression: string;
  readonly atUnixMs: number;
  /** Distinguish the number from others with the same expression. */
  readonly labels?: readonly string[];
  /** The value before rounding. */
  readonly value?: number | undefined;
}

/** A click on the number shows its origin. By keyboard, the expression is in the description of the panel. */
export function withOrigin(number: HTMLElement, origin: Origin): HTMLElement {
  number.classList.add('number-with-origin');
  number.addEventListener('click', () => showOrigin(number, origin));
  return number;
}

/** Only the last one that was opened. */
let shown: HTMLElement | undefined;

export function showOrigin(anchor: HTMLElement, { expression, atUnixMs, labels = [], value }: Origin): void {
  shown?.remove();
  const ageS = Math.max(0, (Date.now() - atUnixMs) / 1000);
  const facts = [
    ...(labels.length === 0 ? [] : [`of ${labels.join(', ')}`]),
    ...(value === undefined ? [] : [`exactly ${value}`]),
    `evaluated over the metrics that this page reads, ${textOf(Math.round(ageS), 's')} ago at ${new Date(atUnixMs).toLocaleTimeString('en-GB')}`,
  ];
  shown = popoverOf(
    'origin',
    element('code', { text: expression }),
    ...facts.map((text) => element('p', { class: 'quiet', text })),
  );
  anchor.after(shown);
  putBeside(shown, anchor);
  shown.showPopover();
}
