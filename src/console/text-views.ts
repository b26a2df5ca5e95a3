import type { RulesAnswer } from './alerts.ts';
import { alertsText } from './alerts-text.ts';

/** The views that the console also has as text: the query that a view shows, and its text. */
export const textViews: ReadonlyMap<string, { readonly query: string; readonly text: (answer: unknown) => string }> =
  new Map([
    [
      '/alerts',
      {
        query: '/api/v1/rules?type=alert',
        text: (answer: unknown) => alertsText((answer as { readonly data: RulesAnswer }).data, Date.now()),
      },
    ],
  ]);
