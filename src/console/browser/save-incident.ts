import type { PageSettings } from '../page-settings.ts';
import { element } from './element.ts';
import { askSidecar } from './store/telemetry-client.ts';

const LENGTH_MS = 15 * 60_000;

/** Saves the last minutes as one file. */
export function saveButton(settings: PageSettings): HTMLElement {
  const button = element('button', {
    text: 'Save incident',
    title: 'One HTML file with this page and the data of the last 15 minutes. It opens without a sidecar',
    attributes: { type: 'button', id: 'save-incident' },
  });
  const save = async (): Promise<void> => {
    button.disabled = true;
    button.textContent = 'Saving…';
    const outcome = await saved(settings).catch((error: Error) => error.message);
    button.disabled = false;
    button.textContent = 'Save incident';
    button.title = outcome;
  };
  button.addEventListener('click', () => void save());
  return button;
}

/** @returns what the file does not contain, for the reader. */
async function saved(settings: PageSettings): Promise<string> {
  const [{ recordIncident }, page] = await Promise.all([
    import('../incident/record.ts'),
    fetch('/incident.html').then(async (answer) => await answer.text()),
  ]);
  const untilMs = Date.now();
  const { name, html, notes } = await recordIncident({ ask, settings, page }, { fromMs: untilMs - LENGTH_MS, untilMs });
  const link = element('a', { attributes: { download: name } });
  link.href = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return notes.length === 0 ? `Saved as ${name}` : `Saved as ${name}. ${notes.join('. ')}`;
}

async function ask<T>(path: string, query: Readonly<Record<string, string>> = {}): Promise<T> {
  return (await askSidecar(path, query)) as T;
}
