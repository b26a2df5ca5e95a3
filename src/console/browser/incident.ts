/** The page of an incident file: its clock is stopped, and its answers come from the file. */
import { readRecording } from '../incident/recording.ts';
import { RecordedMetrics } from '../incident/recorded-metrics.ts';
import { RecordedTelemetry } from '../incident/recorded-telemetry.ts';
import { element } from './element.ts';
import { message } from './message.ts';
import { render } from 'lit-html';
import { startPage } from './page.ts';
import { answerWith } from './store/telemetry-client.ts';
import { momentText } from './time-text.ts';

try {
  await open();
} catch (error) {
  const reason = `The file cannot be read: ${(error as Error).message}`;
  render(message('error', reason), document.querySelector<HTMLElement>('#rows') as HTMLElement);
}

async function open(): Promise<void> {
  const recording = await readRecording(document.querySelector('#recording')?.textContent ?? '');
  const { head, samples, exemplars, notes } = recording;
  Date.now = () => head.untilMs;
  const telemetry = new RecordedTelemetry(recording);
  answerWith(async (path, query) => await telemetry.ask(path, query));
  const time = `Recorded from ${momentText(head.fromMs / 1000)} to ${momentText(head.untilMs / 1000)}`;
  const text = [time, ...notes].join('. ');
  document.querySelector('header')?.append(element('p', { class: 'about', text }));
  await startPage(head.settings, new RecordedMetrics(samples, exemplars));
}
