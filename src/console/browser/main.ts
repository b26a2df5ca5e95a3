/** The page of a sidecar or a preview. */
import type { PageSettings } from '../page-settings.ts';
import { PrometheusSource } from '../prometheus-source.ts';
import { startPage } from './page.ts';
import { saveButton } from './save-incident.ts';

const settings = (await (await fetch('/settings.json')).json()) as PageSettings;
await startPage(
  settings,
  new PrometheusSource(settings.prometheus),
  settings.views.length > 0 ? [saveButton(settings)] : [],
);
