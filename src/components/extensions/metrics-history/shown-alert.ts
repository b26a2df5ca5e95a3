import { UNPRINTABLE } from '../../../engine/json-text.ts';
import { cleanLabel } from '../../../privacy/clean-label.ts';
import { cleanText } from '../../../privacy/privacy.ts';
import type { Labels } from '../../../promql/labels.ts';
import type { Alert } from '../../../rules/alert-states.ts';

/**
 * An alert as people and other programs may read it. Senders of metrics choose labels, which are also in the texts. What
 * distinguishes alerts is never taken from this: two alerts may look the same.
 */
export function shownAlert<Texts extends Pick<Alert, 'labels' | 'annotations'>>(alert: Texts): Texts {
  return { ...alert, labels: shownLabels(alert.labels), annotations: shownLabels(alert.annotations) };
}

/** A text without secrets and control characters. */
export function shownText(text: string): string {
  return printable(cleanText(text));
}

function shownLabels(labels: Labels): Labels {
  const shown = [...labels].flatMap(([name, text]): [string, string][] => {
    const clean = cleanLabel(name, text);
    return clean === undefined ? [] : [[name, printable(clean)]];
  });
  return new Map(shown);
}

/** Texts may have several lines. */
function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => (/[\n\t]/.test(character) ? character : '\u{FFFD}'));
}
