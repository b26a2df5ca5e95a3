import { createHash } from 'node:crypto';
import * as v from 'valibot';
import {
  recordValidation,
  recordValidationError,
  runOperation,
  type ValidationErrorLabels,
} from 'siphon-otel/pipeline';
import type { Product, Variant } from './product.ts';
import type { ProductSource } from './product-source.ts';

type Reason = ValidationErrorLabels['reason'];

export interface Validated {
  readonly products: readonly Product[];
  readonly invalidCount: number;
}

/** A.3: drops invalid products and keeps doubtful ones with a warning. Both are counted. */
export async function validateProducts(source: ProductSource, fetched: readonly unknown[]): Promise<Validated> {
  return await runOperation('A.3', { source: source.slug }, async () => checkProducts(source, fetched));
}

/** The same without its own operation. Each kind of problem counts once per product. */
export function checkProducts(source: ProductSource, fetched: readonly unknown[]): Validated {
  const parsed = fetched.map((raw) => parse(source, raw));
  for (const reason of parsed.flatMap(({ reasons }) => [...new Set(reasons)])) {
    recordValidationError({ source: source.slug, platform: source.platform, reason });
  }
  const products = parsed.flatMap(({ product }) => product ?? []);
  if (parsed.length > 0) {
    const invalid = parsed.filter(({ reasons }) => reasons.length > 0).length;
    recordValidation({ source: source.slug, platform: source.platform }, { valid: parsed.length - invalid, invalid });
  }
  return { products, invalidCount: fetched.length - products.length };
}

/** The variants of unchanged products, which were already checked when their page was fetched. */
export function knownVariants(source: ProductSource, unchanged: readonly unknown[]): Variant[] {
  return unchanged.flatMap((raw) => parse(source, raw).product?.variants ?? []);
}

function parse({ platform }: ProductSource, raw: unknown): Parsed {
  return platform === 'shopify' ? fromShopify(raw) : fromWoo(raw);
}

interface Parsed {
  readonly product?: Product;
  readonly reasons: readonly Reason[];
}

const text = v.pipe(v.string(), v.nonEmpty());

const shopifySchema = v.object({
  title: text,
  handle: text,
  product_type: v.string(),
  variants: v.array(
    v.object({
      id: v.number(),
      price: v.string(),
      compare_at_price: v.nullish(v.string()),
      available: v.boolean(),
      grams: v.nullish(v.number()),
    }),
  ),
});

const wooSchema = v.object({
  id: v.number(),
  name: text,
  permalink: v.string(),
  is_in_stock: v.boolean(),
  categories: v.array(v.object({ name: v.string() })),
  prices: v.object({
    price: v.string(),
    regular_price: v.string(),
    currency_code: v.string(),
    currency_minor_unit: v.number(),
  }),
});

function fromShopify(raw: unknown): Parsed {
  const { output, success, issues } = v.safeParse(shopifySchema, raw);
  if (!success) return { reasons: [reasonOf(issues)] };
  const variants = output.variants.map((variant): Variant => ({
    platformVariantId: String(variant.id),
    currency: 'INR',
    price: usablePrice(variant.price),
    compareAtPrice: usablePrice(variant.compare_at_price ?? ''),
    inStock: variant.available,
    weightG: variant.grams === 0 ? undefined : (variant.grams ?? undefined),
  }));
  const isCoffee = /coffee|nano|producer series/i.test(output.product_type);
  return toProduct(raw, { slug: output.handle, name: output.title, isCoffee, variants });
}

/** The Store API lists only the price of a product and not those of its variations, so each product has one variant. */
function fromWoo(raw: unknown): Parsed {
  const { output, success, issues } = v.safeParse(wooSchema, raw);
  if (!success) return { reasons: [reasonOf(issues)] };
  const { prices } = output;
  if (!/^[A-Z]{3}$/.test(prices.currency_code)) return { reasons: ['invalid_currency'] };
  const variant: Variant = {
    platformVariantId: String(output.id),
    currency: prices.currency_code,
    price: usablePrice(fromMinorUnits(prices.price, prices.currency_minor_unit)),
    compareAtPrice: usablePrice(fromMinorUnits(prices.regular_price, prices.currency_minor_unit)),
    inStock: output.is_in_stock,
    weightG: undefined,
  };
  const isCoffee = output.categories.some(({ name }) => /coffee|brew|blend/i.test(name));
  const slug = output.permalink.split('/').findLast((part) => part !== '') ?? String(output.id);
  return toProduct(raw, { slug, name: output.name, isCoffee, variants: [variant] });
}

function toProduct(raw: unknown, product: Omit<Product, 'warnings' | 'rawHash'>): Parsed {
  if (product.variants.length === 0) return { reasons: ['no_variants'] };
  const priceless = product.variants.filter(({ price }) => price === undefined);
  const warnings = priceless.map(({ platformVariantId }) => `variant ${platformVariantId} has no usable price`);
  const rawHash = createHash('sha256').update(JSON.stringify(raw)).digest('hex');
  return { product: { ...product, warnings, rawHash }, reasons: priceless.map(() => 'invalid_price') };
}

function usablePrice(price: string): string | undefined {
  return /^\d{1,9}(\.\d{1,4})?$/.test(price) && Number(price) > 0 ? price : undefined;
}

/** `29000` with two minor digits is `290.00`. */
function fromMinorUnits(amount: string, digits: number): string {
  if (digits === 0 || !/^\d+$/.test(amount)) return amount;
  const padded = amount.padStart(digits + 1, '0');
  return `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
}

/** An absent or empty field is missing; a field of another type is malformed. */
function reasonOf(issues: readonly v.BaseIssue<unknown>[]): Reason {
  return issues.every(({ input }) => input === undefined || input === null || input === '')
    ? 'missing_field'
    : 'malformed';
}
