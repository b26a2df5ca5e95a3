import { attributeCases } from './cases/attributes.ts';
import { conflictCases } from './cases/conflicts.ts';
import { filterCases } from './cases/filter.ts';
import { kindCases } from './cases/kinds.ts';
import { lifecycleCases } from './cases/lifecycle.ts';
import { nameCases } from './cases/names.ts';
import { openMetricsCases } from './cases/open-metrics.ts';
import { optionCases } from './cases/options.ts';
import { probabilisticSamplerCases } from './cases/probabilistic-sampler.ts';
import { resourceCases } from './cases/resources.ts';
import { scopeCases } from './cases/scopes.ts';
import { spanMetricsCases } from './cases/span-metrics.ts';
import { tailSamplingCases } from './cases/tail-sampling.ts';
import { unitCases } from './cases/units.ts';
import { valueCases } from './cases/values.ts';
import type { ConformanceCase } from './conformance-case.ts';

export const cases: readonly ConformanceCase[] = [
  ...valueCases,
  ...attributeCases,
  ...nameCases,
  ...unitCases,
  ...kindCases,
  ...lifecycleCases,
  ...resourceCases,
  ...scopeCases,
  ...optionCases,
  ...conflictCases,
  ...openMetricsCases,
  ...spanMetricsCases,
  ...probabilisticSamplerCases,
  ...tailSamplingCases,
  ...filterCases,
];
