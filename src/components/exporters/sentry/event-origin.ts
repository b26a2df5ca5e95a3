import { textOf, type KeyValueMap } from '../../../engine/otlp/any-value.ts';
import type { JsonObject } from './json-values.ts';
import { isEnvironment, isRelease } from './naming-rules.ts';

/** Settings of the user that replace attributes of the resource. */
export interface OriginOverrides {
  readonly environment?: string | undefined;
  readonly release?: string | undefined;
}

const MAX_TAG_CHARACTERS = 200;

/** The fields of an event that describe its origin. Unknown ones are absent. */
export function originOf(resource: KeyValueMap, overrides: OriginOverrides): JsonObject {
  const service = textOf(resource, 'service.name');
  const server = textOf(resource, 'host.name', 'service.instance.id');
  const environment = overrides.environment ?? environmentOf(resource);
  const release = overrides.release ?? releaseOf(resource);
  return {
    platform: platformOf(resource),
    ...(environment === undefined ? {} : { environment }),
    ...(release === undefined ? {} : { release }),
    ...(server === undefined ? {} : { server_name: server }),
    ...(service === undefined ? {} : { tags: { 'service.name': service.slice(0, MAX_TAG_CHARACTERS) } }),
  };
}

const platforms = new Set(['python', 'java', 'go', 'ruby', 'php', 'elixir', 'rust']);

/** https://develop.sentry.dev/sdk/data-model/event-payloads/#required-attributes */
function platformOf(resource: KeyValueMap): string {
  const language = textOf(resource, 'telemetry.sdk.language') ?? '';
  if (language === 'nodejs') return 'node';
  if (language === 'webjs') return 'javascript';
  return platforms.has(language) ? language : 'other';
}

function environmentOf(resource: KeyValueMap): string | undefined {
  const name = textOf(resource, 'deployment.environment.name', 'deployment.environment');
  return name !== undefined && isEnvironment(name) ? name : undefined;
}

/** `service@version`, because versions alone would collide between the services of one project. */
function releaseOf(resource: KeyValueMap): string | undefined {
  const [service, version] = [textOf(resource, 'service.name'), textOf(resource, 'service.version')];
  if (version === undefined) return undefined;
  return [`${service ?? ''}@${version}`, version].find((name) => !name.startsWith('@') && isRelease(name));
}
