import type { KeyValueMap } from '../../../engine/otlp/any-value.ts';

/** The attribute with which a service asks for a decision, by the conventions of OpenTracing. */
const PRIORITY = 'sampling.priority';

/** The decision that the attributes of a span ask for. Undefined if they leave it open. */
export function readPriority(attributes: KeyValueMap): 'always' | 'never' | undefined {
  const value = attributes.get(PRIORITY);
  const isText = typeof value === 'string' && value.trim() === value && value !== '';
  const number = isText || typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.NaN;
  if (number === 0) return 'never';
  return number > 0 ? 'always' : undefined;
}
