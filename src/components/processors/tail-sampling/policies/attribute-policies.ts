import type { AnyValue } from '../../../../engine/otlp/any-value.ts';
import type { LeafPolicyConfig } from './policy-config.ts';
import { sampledIf, type Policy } from './policy.ts';
import { TextPatterns } from '../../../../pattern/text-patterns.ts';

type SettingsOf<Type extends keyof LeafPolicyConfig> = NonNullable<LeafPolicyConfig[Type]>;

interface Condition {
  readonly key: string;
  readonly invert_match: boolean;
}

export function stringAttribute(settings: SettingsOf<'string_attribute'>): Policy {
  if (settings.enabled_regex_matching) return patternAttribute(settings);
  const texts = new Set(settings.values);
  return attributePolicy(settings, (value) => typeof value === 'string' && value !== '' && texts.has(value));
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

/** The same with patterns, as far as the work for the trace allows. */
function patternAttribute(settings: SettingsOf<'string_attribute'>): Policy {
  const { key, values: sources, cache_max_size: maxRemembered, invert_match: isInverted } = settings;
  const patterns = new TextPatterns(sources, maxRemembered);
  return function* decide({ values, work }) {
    for (const value of values.get(key) ?? []) {
      if (work.isSpent) break;
      if (typeof value !== 'string' || value === '') continue;
      if (yield* patterns.fit(value, work)) return sampledIf(!isInverted);
    }
    return sampledIf(isInverted);
  };
}
