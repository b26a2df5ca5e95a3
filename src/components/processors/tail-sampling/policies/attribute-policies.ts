import type { AnyValue } from '../../../../engine/otlp/any-value.ts';
import type { LeafPolicyConfig } from './policy-config.ts';
import { sampledIf, type Policy } from './policy.ts';
import { textPattern } from './text-pattern.ts';

type SettingsOf<Type extends keyof LeafPolicyConfig> = NonNullable<LeafPolicyConfig[Type]>;

interface Condition {
  readonly key: string;
  readonly invert_match: boolean;
}

export function stringAttribute(settings: SettingsOf<'string_attribute'>): Policy {
  const fits = settings.enabled_regex_matching ? patternIn(settings.values) : textIn(settings.values);
  return attributePolicy(settings, (value) => typeof value === 'string' && value !== '' && fits(value));
}

export function numericAttribute(settings: SettingsOf<'numeric_attribute'>): Policy {
  const { min_value: least = -Infinity, max_value: most = Infinity } = settings;
  return attributePolicy(
    settings,
    (value) => (typeof value === 'number' || typeof value === 'bigint') && value >= least && value <= most,
  );
}

export function booleanAttribute(settings: SettingsOf<'boolean_attribute'>): Policy {
  return attributePolicy(settings, (value) => value === settings.value);
}

/** Looks for the attribute in all spans and resources. */
function attributePolicy({ key, invert_match: isInverted }: Condition, fits: (value: AnyValue) => boolean): Policy {
  return (trace) => sampledIf((trace.values.get(key)?.some((value) => fits(value)) ?? false) !== isInverted);
}

function textIn(values: readonly string[]): (value: string) => boolean {
  const texts = new Set(values);
  return (value) => texts.has(value);
}

function patternIn(values: readonly string[]): (value: string) => boolean {
  const patterns = values.map(textPattern);
  return (value) => patterns.some((fits) => fits(value));
}
