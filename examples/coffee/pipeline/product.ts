/** A product of any shop, in the form in which it is kept. */
export interface Product {
  readonly slug: string;
  readonly name: string;
  readonly isCoffee: boolean;
  /** What a person should look at. */
  readonly warnings: readonly string[];
  readonly rawHash: string;
  readonly variants: readonly Variant[];
}

export interface Variant {
  readonly platformVariantId: string;
  readonly currency: string;
  /** Decimal, as text, so that no digit is lost; undefined when the shop gives none that can be used. */
  readonly price: string | undefined;
  readonly compareAtPrice: string | undefined;
  readonly inStock: boolean;
  readonly weightG: number | undefined;
}
