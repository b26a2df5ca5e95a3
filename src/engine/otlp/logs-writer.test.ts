import { expect, it } from 'vitest';
import { inspectRequest } from './inspect-request.ts';
import { encodeLogsRequest } from './logs-writer.ts';
import { messageToObject } from './message-to-object.ts';

const text = (value: string) => ({ string_value: value });

it('writes what it was given, and nothing else', () => {
  const bytes = encodeLogsRequest({
    resource: {},
    scope: { name: 'siphon/sqlquery', version: '1.2.3' },
    observedUnixMs: 1_700_000_000_000.25,
    records: [
      { body: 'första', attributes: { level: 'warn' } },
      { body: '', attributes: {} },
      { body: 'x', attributes: { pid: 7 }, unixMs: 5, severity: { number: 9, text: 'INFO' }, eventName: 'a.b' },
    ],
  });
  const observed_time_unix_nano = '1700000000000000000';
  expect(messageToObject('ExportLogsServiceRequest', bytes)).toMatchObject({
    resource_logs: [
      {
        scope_logs: [
          {
            scope: { name: 'siphon/sqlquery', version: '1.2.3' },
            log_records: [
              { body: text('första'), attributes: [{ key: 'level', value: text('warn') }], observed_time_unix_nano },
              { body: text(''), observed_time_unix_nano },
              {
                time_unix_nano: '5000000',
                severity_number: 'SEVERITY_NUMBER_INFO',
                severity_text: 'INFO',
                attributes: [{ key: 'pid', value: { int_value: '7' } }],
                event_name: 'a.b',
              },
            ],
          },
        ],
      },
    ],
  });
  expect(inspectRequest('logs', bytes)).toBe(3);
});
