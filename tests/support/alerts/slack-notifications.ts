import type { SlackMessage } from './alert-sink.ts';

/** One Slack message, in the terms of its reader. */
export interface Notification {
  readonly alert: string;
  /** Undefined if the alert is about several roasters. */
  readonly roaster: string | undefined;
  readonly channel: string;
  /** Also of a message that all alerts are resolved. */
  readonly severity: string;
  /** The number of firing alerts; 0 in a message that all alerts are resolved. */
  readonly firing: number;
  readonly title: string;
  readonly text: string;
  /** Addresses of the buttons, with their texts as keys. */
  readonly links: Readonly<Record<string, string>>;
}

export function notificationsOf(messages: readonly SlackMessage[]): readonly Notification[] {
  return messages.flatMap(({ channel, attachments }) =>
    attachments.map(({ title, text, footer, actions }) => {
      const links = Object.fromEntries(actions.map(({ text: label, url }) => [label, url]));
      const { alertname = '', roaster } = groupOf(links['Silence'] ?? '');
      const count = Number(/\((\d+) alerts\)$/.exec(title)?.[1] ?? 1);
      const firing = title.startsWith('Resolved: ') ? 0 : count;
      const [, severity = ''] = footer.split(' · ');
      return { alert: alertname, roaster, channel, severity, firing, title, text, links };
    }),
  );
}

/** Reads the alert and its roaster from the link to the form for a new silence. */
function groupOf(silence: string): Readonly<Record<string, string>> {
  const filter = new URLSearchParams(new URL(silence).hash.split('?')[1]).get('filter') ?? '';
  return Object.fromEntries(
    [...filter.matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]),
  );
}
