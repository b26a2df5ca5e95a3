import { expect, it } from 'vitest';
import {
  pollFailures,
  rejectionReasons,
  scrapePageDropReasons,
  sentryDropReasons,
  uncountedSpanReasons,
  unlinkedSpanReasons,
} from '../../src/metrics/reasons.ts';
import { readText } from './source-files.ts';

it('docs/reasons.md explains every reason, and no other', () => {
  const explained = Array.from(readText('docs/reasons.md').matchAll(/^\| `(\w+)` \|/gm), ([, reason]) => reason);
  const reasons = [
    ...rejectionReasons,
    ...scrapePageDropReasons,
    ...sentryDropReasons,
    ...pollFailures,
    ...unlinkedSpanReasons,
    ...uncountedSpanReasons,
  ];
  expect(new Set(explained)).toEqual(new Set(reasons));
});
