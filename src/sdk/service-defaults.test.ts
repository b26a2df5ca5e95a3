import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { serviceDefaults } from './service-defaults.ts';

/** The tests run by a tool in node_modules, so the service is the one of the working directory. */
const { name, version } = JSON.parse(readFileSync('package.json', 'utf8')) as { name: string; version: string };
const versioned = `service.version=${version}`;

it.each([
  ['nothing', {}, name, versioned],
  ['a blank name', { OTEL_SERVICE_NAME: '  ' }, name, versioned],
  ['a name', { OTEL_SERVICE_NAME: ' api ' }, 'api', versioned],
  [
    'an attribute',
    { OTEL_RESOURCE_ATTRIBUTES: 'a=b, service.name = api' },
    undefined,
    `a=b, service.name = api,${versioned}`,
  ],
  ['a blank attribute', { OTEL_RESOURCE_ATTRIBUTES: 'service.name=' }, name, `service.name=,${versioned}`],
  ['another attribute', { OTEL_RESOURCE_ATTRIBUTES: 'peer.service.name=x' }, name, `peer.service.name=x,${versioned}`],
  ['a version', { OTEL_RESOURCE_ATTRIBUTES: 'service.version=9' }, name, undefined],
])('takes name and version from the package with %s', (_, environment, expectedName, expectedAttributes) => {
  const { OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES } = serviceDefaults(environment);
  expect({ OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES }).toEqual({
    OTEL_SERVICE_NAME: expectedName,
    OTEL_RESOURCE_ATTRIBUTES: expectedAttributes,
  });
});

it('has endpoints where none is set, log levels without spaces, and samplers in lower case', () => {
  expect(serviceDefaults({ OTEL_LOG_LEVEL: ' warn ' })).toMatchObject({ OTEL_LOG_LEVEL: 'warn' });
  expect(serviceDefaults({ OTEL_EXPORTER_OTLP_ENDPOINT: '', OTEL_TRACES_SAMPLER: 'Always_Off' })).toMatchObject({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_TRACES_SAMPLER: 'always_off',
  });
});

it('blanks what has no effect, so that the SDK uses its defaults', () => {
  const wrong = { OTEL_BSP_SCHEDULE_DELAY: 'Infinity', OTEL_METRIC_EXPORT_INTERVAL: '-5', OTEL_LOG_LEVEL: 'loud' };
  expect(serviceDefaults({ ...wrong, OTEL_BSP_EXPORT_TIMEOUT: '7' })).toMatchObject({
    OTEL_BSP_SCHEDULE_DELAY: '',
    OTEL_METRIC_EXPORT_INTERVAL: '',
    OTEL_LOG_LEVEL: '',
  });
  expect(serviceDefaults({ ...wrong, OTEL_BSP_EXPORT_TIMEOUT: '7' })).not.toHaveProperty('OTEL_BSP_EXPORT_TIMEOUT');
});
