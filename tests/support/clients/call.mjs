/** Uses the client of the module in the arguments, within one span, or lets it fail where nothing handles it. */
import { pathToFileURL } from 'node:url';
import { trace } from '@opentelemetry/api';

const [action, url, file] = process.argv.slice(-3);
const client = await import(pathToFileURL(file).href);
if (action === 'fail') await client.fail(url);
else {
  await trace.getTracer('test').startActiveSpan('caller', async (span) => {
    await client.use(url);
    span.end();
  });
}
