/** The values of the labels that several metrics share. */
import type { BudgetedLabel } from '../../metrics/metric.ts';

export const platforms = ['shopify', 'woocommerce', 'custom', 'other'] as const;
export const trueOrFalse = ['true', 'false'] as const;
export const outcomes = ['ok', 'error'] as const;
export const jobTypes = ['full', 'price_only'] as const;
export const runStatuses = ['ok', 'partial', 'fail'] as const;
export const changeTypes = ['first', 'increase', 'decrease', 'unchanged'] as const;
export const fetchErrorTypes = [
  'timeout',
  'connection',
  'rate_limited',
  'http_4xx',
  'http_5xx',
  'invalid_body',
] as const;
export const jobErrorTypes = ['fetch', 'validation', 'database', 'timeout', 'other'] as const;

/** `none`: no response; `other`: a status that is not listed. */
export const httpStatuses = [
  '200',
  '304',
  '400',
  '401',
  '403',
  '404',
  '408',
  '410',
  '429',
  '500',
  '502',
  '503',
  '504',
  'other',
  'none',
] as const;

export const source: BudgetedLabel = {
  maxValues: 100,
  description: 'slug of the roaster whose product source is fetched',
};
export const roaster: BudgetedLabel = { maxValues: 100, description: 'slug of the roaster' };
export const currency: BudgetedLabel = { maxValues: 10, description: 'ISO 4217 code' };
