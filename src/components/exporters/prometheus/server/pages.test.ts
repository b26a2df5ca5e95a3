import { expect, it } from 'vitest';
import type { PageBuffer } from '../page/page-buffer.ts';
import { Pages } from './pages.ts';
import { PageReader } from './rendering.ts';

const reader = (): PageReader => new PageReader(() => undefined);

/** A page of a million bytes. */
const render = async (target: PageBuffer): Promise<void> => target.bytes(new Uint8Array(1e6));

it('shares the newest page if another one does not fit into memory', async () => {
  const pages = new Pages(1.5e6);
  const first = pages.get('text', render);
  first?.acquire(reader());
  await first?.identity;
  expect(pages.get('text', render)).toBe(first);
  expect(pages.get('protobuf', render)).toBeUndefined();
});

it('renders a page that is larger than the limit alone, again and again', async () => {
  const pages = new Pages(1000);
  for (let i = 0; i < 3; i++) {
    const page = pages.get('text', render);
    const only = reader();
    page?.acquire(only);
    expect((await page?.identity)?.length).toBe(1e6);
    page?.release(only);
  }
});

it('renders several pages that fit', async () => {
  const pages = new Pages(1e7);
  const shown = ['text', 'openmetrics', 'protobuf', 'text'].map((format) => pages.get(format, render));
  expect(new Set(shown).size).toBe(3);
});
