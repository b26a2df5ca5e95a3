/** The limits that panels show and alerts compare with. */
import type { Threshold } from 'siphon-otel/pack';

export const thresholds = {
  pending_age: {
    bad: 'above',
    unit: 's',
    warning: 600,
    critical: 3600,
    why: 'A payment takes seconds, so an order without one for minutes was lost between the two inserts',
  },
  declined_share: {
    bad: 'above',
    unit: '1',
    warning: 0.2,
    critical: 0.5,
    why: 'Customers cause a few percent of declined payments; more is a problem of the payment provider',
  },
} as const satisfies Readonly<Record<string, Threshold>>;
