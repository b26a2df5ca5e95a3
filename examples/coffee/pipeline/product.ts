/** A product of any shop, as it is stored. */
export interface Product {
  readonly slug: string;
  readonly name: string;
  readonly isCoffee: boolean;
  /** Problems that a person should review. */
  readonly warnings: readonly string[];
  readonly rawHash: string;
  readonly variants: readonly Variant[];
}

export interface Variant {
  readonly platformVariantId: string;
  readonly currency: string;
  /** A decimal as text, so that no digit is lost; undefined when the shop has no usable price. */
  readonly price: string | undefined;
  readonly compareAtPrice: string | undefined;
  readonly inStock: boolean;
  readonly weightG: number | undefined;
}
