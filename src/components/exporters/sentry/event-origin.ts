import { textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import type { Privacy } from '../../../privacy/privacy.ts';
import { toJsonObject, type JsonObject } from '../../../engine/otlp/json-values.ts';
import { isEnvironment, isRelease } from './naming-rules.ts';
import type { SourceLines } from './source-lines.ts';

/** Settings of the user. Environment and release replace attributes of the resource. */
export interface EventSettings {
  readonly environment?: string | undefined;
  readonly release?: string | undefined;
  readonly privacy: Privacy;
  readonly sources: SourceLines;
  /** siphon's. */
  readonly version: string;
}

const MAX_TAG_CHARACTERS = 200;

/** The fields of an event that describe its origin. Unknown ones are absent. */
export function originOf(resource: KeyValueMap, settings: EventSettings): JsonObject {
  const service = textOf(resource, 'service.name');
  const server = textOf(resource, 'host.name', 'service.instance.id');
  const environment = environmentOf(resource, settings);
  const release = releaseOf(resource, settings);
  return {
    platform: platformOf(resource),
    ...(environment === undefined ? {} : { environment }),
    ...(release === undefined ? {} : { release }),
    ...(server === undefined ? {} : { server_name: server }),
    ...(service === undefined ? {} : { tags: { 'service.name': service.slice(0, MAX_TAG_CHARACTERS) } }),
  };
}

/** Attributes as they may leave, as JSON. */
export function cleanedAttributes(attributes: KeyValueMap, { privacy }: EventSettings): JsonObject {
  const cleaned = [...attributes].map(([name, value]) => [name, privacy.clean(name, value)] as const);
  return toJsonObject(cleaned.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

const platforms = new Set(['python', 'java', 'go', 'ruby', 'php', 'elixir', 'rust']);

/** https://develop.sentry.dev/sdk/data-model/event-payloads/#required-attributes */
export function platformOf(resource: KeyValueMap): string {
  const language = textOf(resource, 'telemetry.sdk.language') ?? '';
  if (language === 'nodejs') return 'node';
  if (language === 'webjs') return 'javascript';
  return platforms.has(language) ? language : 'other';
}

export function environmentOf(
  resource: KeyValueMap,
  { environment }: Pick<EventSettings, 'environment'>,
): string | undefined {
  if (environment !== undefined) return environment;
  const name = textOf(resource, 'deployment.environment.name', 'deployment.environment');
  return name !== undefined && isEnvironment(name) ? name : undefined;
}

/** `service@version`, because versions alone would collide between the services of one project. */
export function releaseOf(resource: KeyValueMap, { release }: Pick<EventSettings, 'release'>): string | undefined {
  if (release !== undefined) return release;
  const [service, version] = [textOf(resource, 'service.name'), textOf(resource, 'service.version')];
  if (version === undefined) return undefined;
  return [`${service ?? ''}@${version}`, version].find((name) => !name.startsWith('@') && isRelease(name));
}
