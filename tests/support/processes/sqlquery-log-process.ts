/** Reads a table with `sqlquery` and appends the rows that the pipeline receives to a file, until it is killed. */
import { appendFileSync } from 'node:fs';
import * as v from 'valibot';
import { messageToObject } from '../../../src/engine/otlp/message-to-object.ts';
import { fileStorageConfig } from '../../../src/components/extensions/file-storage/config.ts';
import { fileStorageExtension } from '../../../src/components/extensions/file-storage/factory.ts';
import { sqlqueryConfig } from '../../../src/components/receivers/sqlquery/config.ts';
import { sqlqueryReceiver } from '../../../src/components/receivers/sqlquery/factory.ts';
import { componentSettings } from '../components/component-settings.ts';
import { hostWith } from '../components/host-with.ts';

const [datasource, directory, output = ''] = process.argv.slice(2);
const storage = fileStorageExtension.create(
  componentSettings('extension', 'file_storage').settings,
  v.parse(fileStorageConfig, { directory }),
);
await storage.start(hostWith());
const config = v.parse(sqlqueryConfig, {
  driver: 'postgres',
  datasource,
  storage: 'file_storage',
  collection_interval: '20ms',
  initial_delay: 0,
  queries: [
    {
      name: 'tail',
      sql: 'select id from tail where id > $1::bigint',
      tracking_column: 'id',
      tracking_start_value: '0',
      logs: [{ body_column: 'id' }],
    },
  ],
});
const receiver = sqlqueryReceiver.create(componentSettings('receiver', 'sqlquery', 'logs').settings, config, () => ({
  consume: async ({ chunks }) => {
    const texts = chunks.map((chunk) => JSON.stringify(messageToObject('ExportLogsServiceRequest', chunk)));
    const ids = texts.flatMap((text) => [...text.matchAll(/"string_value":"(\d+)"/g)].map(([, id]) => id));
    appendFileSync(output, `${ids.join('\n')}\n`);
  },
}));
await receiver.start(hostWith({ file_storage: storage }));
