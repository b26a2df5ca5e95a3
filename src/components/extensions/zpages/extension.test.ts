import * as v from 'valibot';
import { expect, it } from 'vitest';
import { componentSettings } from '../../../../tests/support/components/component-settings.ts';
import { hostWith } from '../../../../tests/support/components/host-with.ts';
import type { RunningService } from '../../../engine/component.ts';
import { zpagesConfig } from './config.ts';
import { zpagesExtension } from './factory.ts';

const pipeline = { id: 'traces', receivers: ['otlp'], processors: ['memory_limiter', 'batch'], exporters: ['sentry'] };

it('shows the pipelines that run now, in a browser', async () => {
  const { settings, lines } = componentSettings('extension', 'zpages');
  const extension = zpagesExtension.create(settings, v.parse(zpagesConfig, { endpoint: '127.0.0.1:0' }));
  let running: RunningService = { extensions: ['zpages', 'a/<b>'], pipelines: [pipeline] };
  await extension.start({ ...hostWith(), running: () => running });
  const page = async (path: string): Promise<string> => {
    const answer = await fetch(`http://${String(lines.find(({ msg }) => msg === 'Listening')?.['endpoint'])}${path}`);
    return `${answer.status} ${await answer.text()}`;
  };
  expect(await page('/debug/pipelinez')).toContain(
    '<tr><td>traces</td><td>otlp</td><td>memory_limiter → batch</td><td>sentry</td></tr>',
  );
  expect(await page('/debug/extensionz')).toContain('<td>a/&#60;b&#62;</td>');
  expect(await page('/debug/servicez')).toContain(`<td>${process.version}</td>`);
  running = { extensions: [], pipelines: [{ ...pipeline, id: 'metrics/new' }] };
  expect(await page('/debug/pipelinez?x=1')).toContain('<td>metrics/new</td>');
  expect(await page('/debug/constructor')).toMatch(/^404 /);
  await extension.shutdown(AbortSignal.timeout(1000));
});
