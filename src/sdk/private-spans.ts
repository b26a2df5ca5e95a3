/** Removes secrets and personal attributes from spans, before any exporter gets them. */
import type { Attributes } from '@opentelemetry/api';
import { cleanText, Privacy } from '../privacy/privacy.ts';
import { withoutLiterals } from '../privacy/query-literals.ts';
import { addSpanProcessor } from './span-processors.ts';

/** The texts of statements. */
const STATEMENTS = new Set(['db.query.text', 'db.statement']);

interface EndingSpan {
  name: string;
  readonly attributes: Attributes;
  readonly status: { message?: string };
  readonly events: readonly { readonly attributes?: Attributes }[];
}

export interface PrivateSpanSettings {
  /** True to let personal attributes and the values in statements through. Secrets are always removed. */
  readonly personal: boolean;
}

/** Applies the list that the sidecar's exporters apply, to the current tracer provider. */
export function keepSpansPrivate({ personal }: PrivateSpanSettings): void {
  const privacy = new Privacy({ personal });
  addSpanProcessor({ onEnding: (span) => clean(span, privacy, personal) });
}

/** The same for the resource, which is on every metric too: for example the arguments of the process. */
export function keepResourcePrivate(resource: unknown, { personal }: PrivateSpanSettings): void {
  const privacy = new Privacy({ personal });
  const { _rawAttributes: attributes } = resource as { readonly _rawAttributes?: [name: string, value: unknown][] };
  const kept = attributes?.filter(([name]) => privacy.clean(name, '') === '') ?? [];
  attributes?.splice(0, attributes.length, ...kept);
}

function clean(span: EndingSpan, privacy: Privacy, personal: boolean): void {
  cleanAttributes(span.attributes, privacy, personal);
  for (const { attributes } of span.events)
    if (attributes !== undefined) cleanAttributes(attributes, privacy, personal);
  span.name = cleanText(span.name);
  if (span.status.message !== undefined) span.status.message = cleanText(span.status.message);
}

/** Only values that change are written. */
function cleanAttributes(attributes: Attributes, privacy: Privacy, personal: boolean): void {
  for (const name of Object.keys(attributes)) {
    const value = attributes[name] as string;
    const cleaned = privacy.clean(name, value);
    if (cleaned === undefined) delete attributes[name];
    else if (cleaned !== value) attributes[name] = cleaned;
    if (!personal && STATEMENTS.has(name) && typeof value === 'string') {
      attributes[name] = withoutLiterals(value, systemOf(attributes));
    }
  }
}

function systemOf(attributes: Attributes): string {
  const system = attributes['db.system.name'] ?? attributes['db.system'];
  return typeof system === 'string' ? system : '';
}
