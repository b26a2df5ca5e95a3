import type { ConfigNode } from './config-node.ts';
import type { CollectorConfig } from '../collector-config.ts';
import { Secret } from '../schema/secret.ts';

/**
 * The configuration as plain values that may be printed. The text of a secret is masked everywhere, also outside of its
 * own setting.
 */
export function redactConfig(root: ConfigNode, config: CollectorConfig): unknown {
  const secrets = new Set<string>();
  collectSecrets(config, secrets, new Set());
  // The longest first, because one secret may be part of another.
  return redact(
    root,
    [...secrets].toSorted((a, b) => b.length - a.length),
  );
}

const MASK = String(new Secret(''));
/** Shorter secrets are masked only as a whole value: an `a` is part of every text. */
const MIN_PART_LENGTH = 4;

function collectSecrets(value: unknown, found: Set<string>, seen: Set<unknown>): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Secret) {
    if (!value.isEmpty) found.add(value.reveal());
    return;
  }
  const children = value instanceof Map ? value.values() : Object.values(value);
  for (const child of children) collectSecrets(child, found, seen);
}

function redact(node: ConfigNode, secrets: readonly string[]): unknown {
  if (node.text !== undefined && secrets.includes(node.text)) return MASK;
  if (node.kind === 'sequence') return node.items.map((item) => redact(item, secrets));
  if (node.kind === 'mapping') {
    return Object.fromEntries([...node.entries].map(([key, child]) => [key, redact(child, secrets)]));
  }
  if (secrets.includes(String(node.value))) return MASK;
  return typeof node.value === 'string' ? redactParts(node.value, secrets) : node.value;
}

function redactParts(text: string, secrets: readonly string[]): string {
  return secrets
    .filter(({ length }) => length >= MIN_PART_LENGTH)
    .reduce((masked, secret) => masked.replaceAll(secret, MASK), text);
}
