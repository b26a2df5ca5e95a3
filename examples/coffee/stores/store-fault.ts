/** What can be made to go wrong with a store while it runs. */
export const storeFaults = ['store_down', 'slow_store', 'rate_limit_storm', 'price_spike', 'invalid_products'] as const;

export type StoreFault = (typeof storeFaults)[number];

export function isStoreFault(name: string): name is StoreFault {
  return (storeFaults as readonly string[]).includes(name);
}
