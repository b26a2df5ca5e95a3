import { alertList, type RulesAnswer } from '../../console/alerts.ts';
import { alertsText } from '../../console/text/alerts-text.ts';
import { jsonText } from '../../engine/json-text.ts';
import type { ServerAddress } from '../component-address.ts';
import type { Command } from '../command.ts';
import { withStore } from './poll.ts';
import type { Answering } from './store-client.ts';

export const alerts: Command = {
  summary: 'list the pending and firing alerts of a running sidecar',
  optionLines: [
    '--url URL                    the address of metrics_history, instead of the one in the configuration',
    '--json                       print JSON, one line for each alert',
  ],
  takes: ['url'],
  flags: ['json'],
  example: 'siphon alerts',
  exitsOneIf: 'if no sidecar answers',
  readsConfig: true,
  async run(options, context) {
    return await withStore(
      options,
      context,
      async (client) => {
        const { data } = await client.ask<{ readonly data: RulesAnswer }>('/api/v1/rules', { type: 'alert' });
        if (!options.flags.has('json')) return context.print(alertsText(data, Date.now(), context.columns));
        for (const { rule, ...alert } of alertList(data).alerts)
          context.print(jsonText({ ...alert, query: rule.query }));
      },
      HISTORY,
    );
  },
};

const HISTORY: Answering = {
  type: 'metrics_history',
  missing:
    'the configuration has no metrics_history\nAdd it to `extensions` and `service::extensions`, with `rules: {}`',
  addressIn: ({ extensions, service }) => {
    const found = service.extensions.find((id) => extensions.get(id)?.factory.type === 'metrics_history');
    return found === undefined ? undefined : (extensions.get(found)?.config as ServerAddress);
  },
};
