import { textOf, type AnyValue, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import type { Span } from '../../../engine/otlp/span-reader.ts';
import { cleanedAttributes, type EventSettings } from './event-origin.ts';
import { toJsonValue, type JsonObject } from '../../../engine/otlp/json-values.ts';

/** Sentry's contexts, which it shows and searches, by the attributes of OpenTelemetry. https://develop.sentry.dev/sdk/foundations/transport/event-payloads/contexts/ */
const CONTEXTS = {
  runtime: { name: 'process.runtime.name', version: 'process.runtime.version' },
  os: { name: 'os.name', type: 'os.type', version: 'os.version', build: 'os.build_id' },
  device: { arch: 'host.arch', model: 'device.model.name', processor_count: 'host.cpu.count', name: 'host.name' },
  app: { app_name: 'service.name', app_version: 'service.version', app_start_time: 'process.creation.time' },
  cloud_resource: {
    'cloud.provider': 'cloud.provider',
    'cloud.platform': 'cloud.platform',
    'cloud.region': 'cloud.region',
    'cloud.availability_zone': 'cloud.availability_zone',
    'cloud.account.id': 'cloud.account.id',
  },
} as const;

/** The contexts that the resource describes, and the whole resource. */
export function contextsOf(resource: KeyValueMap, settings: EventSettings): Readonly<Record<string, JsonObject>> {
  const { privacy } = settings;
  const contexts = Object.entries(CONTEXTS).map(([name, fields]) => {
    const known = Object.entries(fields).map(([field, attribute]) => [field, privacy.clean(attribute, resource.get(attribute) ?? null)] as const); // prettier-ignore
    return [name, toFields(known)] as const;
  });
  const present = Object.fromEntries(contexts.filter(([, fields]) => Object.keys(fields).length > 0));
  const os = present['os'];
  if (os !== undefined && os['name'] === undefined && os['type'] !== undefined)
    present['os'] = { ...os, name: os['type'] };
  // Sentry's own name, which its pages know.
  if (present['runtime']?.['name'] === 'nodejs') present['runtime'] = { ...present['runtime'], name: 'node' };
  return { ...present, otel: { resource: cleanedAttributes(resource, settings) } };
}

const USER = { id: 'user.id', email: 'user.email', username: 'user.name', ip_address: 'client.address' };

/** The request that a server span answers, and its user. Personal parts only where the settings allow them. */
export function requestOf({ attributes, kind }: Span, settings: EventSettings): JsonObject {
  const { privacy } = settings;
  const clean = (name: string): AnyValue => privacy.clean(name, attributes.get(name) ?? null) ?? null;
  const user = toFields(Object.entries(USER).map(([field, attribute]) => [field, clean(attribute)] as const));
  const method = textOf(attributes, 'http.request.method', 'http.method');
  if (kind !== 'server' || method === undefined) return Object.keys(user).length === 0 ? {} : { user };
  const headers = [...attributes.keys()].filter((name) => name.startsWith(HEADER));
  const request = toFields([
    ['method', method],
    ['url', textValue(clean('url.full')) ?? urlOf(attributes, textValue(clean('url.path')))],
    ['query_string', clean('url.query')],
  ]);
  const sent = toFields(headers.map((name) => [name.slice(HEADER.length), firstOf(clean(name))] as const));
  return {
    request: Object.keys(sent).length === 0 ? request : { ...request, headers: sent },
    ...(Object.keys(user).length === 0 ? {} : { user }),
  };
}

const HEADER = 'http.request.header.';

/** @param path as it may leave. */
function urlOf(attributes: KeyValueMap, path: string | undefined): string | null {
  const host = textOf(attributes, 'server.address');
  if (host === undefined || path === undefined) return null;
  const port = attributes.get('server.port');
  return `${textOf(attributes, 'url.scheme') ?? 'http'}://${host}${typeof port === 'number' ? `:${port}` : ''}${path}`;
}

function textValue(value: AnyValue): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function firstOf(value: AnyValue): AnyValue {
  return Array.isArray(value) ? ((value as readonly AnyValue[])[0] ?? null) : value;
}

function toFields(fields: readonly (readonly [string, AnyValue | undefined])[]): JsonObject {
  const known = fields.filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known.map(([name, value]) => [name, toJsonValue(value as AnyValue)]));
}
