import type { Page } from 'playwright-core';

export interface Encoding {
  /** The factor for width and height. */
  readonly scale: number;
  /** From 0 to 1. */
  readonly quality: number;
}

/** A PNG as WebP, encoded by the browser of the page. */
export async function webpOf(page: Page, png: Buffer, { scale, quality }: Encoding): Promise<Buffer> {
  const source = `data:image/png;base64,${png.toString('base64')}`;
  // It is a text, because the compiler does not know the names of a page here.
  const url = await page.evaluate<string>(`(async () => {
    const image = new Image();
    image.src = ${JSON.stringify(source)};
    await image.decode();
    const canvas = new OffscreenCanvas(Math.round(image.width * ${scale}), Math.round(image.height * ${scale}));
    const context = canvas.getContext('2d');
    context.imageSmoothingQuality = 'high';
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: ${quality} });
    const reader = new FileReader();
    await new Promise((resolve) => { reader.onload = resolve; reader.readAsDataURL(blob); });
    return reader.result;
  })()`);
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}
