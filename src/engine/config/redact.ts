import type { ConfigNode } from './config-node.ts';
import type { CollectorConfig } from '../collector-config.ts';
import { MASK, maskUrlsIn, namesCredential } from '../schema/mask-url.ts';
import { Secret } from '../schema/secret.ts';

/**
 * The configuration as plain values that may be printed. Secrets and the credentials in URLs are masked everywhere, also
 * outside of their own setting.
 */
export function redactConfig(root: ConfigNode, config: CollectorConfig): unknown {
  const secrets = new Map<string, Secret>();
  collectSecrets(config, secrets, new Set());
  const credentials = new Set([...secrets.values()].flatMap((secret) => secret.credentials));
  collectCredentials(root, credentials);
  return redact(root, { secrets, ...patternsOf(credentials) });
}

interface Masking {
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly credentials: ReadonlySet<string>;
  /** Matches the credentials that are masked inside a text; undefined without credentials. */
  readonly parts: RegExp | undefined;
}

/** Shorter credentials are masked only as a whole value: an `a` is part of every text. */
const MIN_PART_LENGTH = 4;

function patternsOf(credentials: ReadonlySet<string>): Omit<Masking, 'secrets'> {
  const parts = [...credentials]
    .filter(({ length }) => length >= MIN_PART_LENGTH)
    // The longest first, because one may be part of another.
    .toSorted((a, b) => b.length - a.length)
    .map((text) => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`));
  return { credentials, parts: parts.length === 0 ? undefined : new RegExp(parts.join('|'), 'g') };
}

function collectSecrets(value: unknown, found: Map<string, Secret>, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Secret) {
    // If a text is both, it is masked wholly.
    if (!value.isEmpty && found.get(value.reveal())?.masked !== MASK) found.set(value.reveal(), value);
    return;
  }
  const children = value instanceof Map ? value.values() : Object.values(value);
  for (const child of children) collectSecrets(child, found, seen);
}

/** The credentials in URLs of settings that are not secret themselves. */
function collectCredentials(node: ConfigNode, found: Set<string>): void {
  const children = node.kind === 'mapping' ? node.entries.values() : node.kind === 'sequence' ? node.items : [];
  for (const child of children) collectCredentials(child, found);
  if (node.kind !== 'scalar') return;
  maskUrlsIn(String(node.value), (credentials) => {
    for (const credential of credentials) found.add(credential);
  });
}

function redact(node: ConfigNode, masking: Masking): unknown {
  const secret = masking.secrets.get(node.text ?? '');
  if (secret !== undefined) return maskParts(secret.masked, masking);
  if (node.kind === 'sequence') return node.items.map((item) => redact(item, masking));
  if (node.kind === 'mapping') {
    return Object.fromEntries([...node.entries].map(([key, child]) => [key, redactSetting(key, child, masking)]));
  }
  return typeof node.value === 'string' ? redactText(node.value, masking) : redactScalar(node.value, masking);
}

function redactSetting(key: string, child: ConfigNode, masking: Masking): unknown {
  const isCredential = child.kind === 'scalar' && typeof child.value === 'string' && child.value !== '';
  return isCredential && namesCredential(key) ? MASK : redact(child, masking);
}

function redactText(text: string, masking: Masking): string {
  const masked = masking.secrets.get(text)?.masked;
  if (masked === MASK || masking.credentials.has(text)) return MASK;
  return maskParts(masked ?? maskUrlsIn(text, () => undefined), masking);
}

function redactScalar(value: unknown, { secrets, credentials }: Masking): unknown {
  return secrets.has(String(value)) || credentials.has(String(value)) ? MASK : value;
}

/** Does not touch what is masked already, nor the scheme of a URL, which is never a secret. */
function maskParts(text: string, { parts }: Masking): string {
  if (parts === undefined) return text;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? '';
  const masked = text
    .slice(scheme.length)
    .split(MASK)
    .map((between) => between.replaceAll(parts, MASK));
  return scheme + masked.join(MASK);
}
