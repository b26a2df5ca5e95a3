import type { SlackMessage } from './alert-sink.ts';

/** One message, as a person in the channel takes it. */
export interface Notification {
  readonly alert: string;
  /** Undefined where the alert is about more than one. */
  readonly roaster: string | undefined;
  readonly channel: string;
  /** How many alerts it says are firing; 0 tells that all of them are over. */
  readonly firing: number;
  readonly title: string;
  readonly text: string;
  /** By what the button says. */
  readonly links: Readonly<Record<string, string>>;
}

export function notificationsOf(messages: readonly SlackMessage[]): readonly Notification[] {
  return messages.flatMap(({ channel, attachments }) =>
    attachments.map(({ title, text, actions }) => {
      const links = Object.fromEntries(actions.map(({ text: label, url }) => [label, url]));
      const { alertname = '', roaster } = groupOf(links['Silence'] ?? '');
      const count = Number(/\((\d+) alerts\)$/.exec(title)?.[1] ?? 1);
      const firing = title.startsWith('Resolved: ') ? 0 : count;
      return { alert: alertname, roaster, channel, firing, title, text, links };
    }),
  );
}

/** The labels by which Alertmanager groups, as they stand in the form of a new silence. */
function groupOf(silence: string): Readonly<Record<string, string>> {
  const filter = new URLSearchParams(new URL(silence).hash.split('?')[1]).get('filter') ?? '';
  return Object.fromEntries(
    [...filter.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]),
  );
}
