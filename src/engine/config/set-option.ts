import { ConfigError } from './config-error.ts';
import type { ConfigNode, Place } from './config-node.ts';
import { parseYaml } from './parse-yaml.ts';

const MAX_DEPTH = 50;

/**
 * The configuration of one `--set a.b=value`. The value is YAML.
 *
 * @throws ConfigError if the option has another form.
 */
export function parseSetOption(option: string): ConfigNode {
  const equals = option.indexOf('=');
  const keys = option.slice(0, equals).split(/::|\./);
  if (equals < 1 || keys.includes('') || keys.length > MAX_DEPTH || keys.some((key) => key in Object.prototype)) {
    // The text after the equals sign may be a secret, and so may a text without one.
    const shown = equals < 1 ? '--set' : `--set ${option.slice(0, equals)}`;
    throw new ConfigError([{ place: { source: shown }, path: [], message: 'must have the form key.key=value' }]);
  }
  const place: Place = { source: `--set ${option.slice(0, equals)}` };
  const value = parseYaml(place.source, option.slice(equals + 1), place);
  return keys.reduceRight<ConfigNode>(
    (node, key) => ({ kind: 'mapping', place, entries: new Map([[key, node]]) }),
    value,
  );
}
