/** The series that a service with the preload adds to the page for Prometheus. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { projectRoot } from '../support/processes/demo-process.ts';
import { Sidecar } from '../support/processes/sidecar.ts';
import { parsePrometheusText } from '../support/prometheus/prometheus-text.ts';

const SERIES_OF_A_SERVICE = 500;

/** Ten routes that succeed and fail. */
const SERVICE = `
  import express from 'express';
  const app = express();
  for (let number = 0; number < 10; number++) {
    app.get('/route-' + number + '/:status', (request, response) => response.sendStatus(Number(request.params.status)));
  }
  const server = app.listen(0, '127.0.0.1', async () => {
    for (let number = 0; number < 10; number++) {
      for (const status of [200, 500]) {
        await (await fetch('http://127.0.0.1:' + server.address().port + '/route-' + number + '/' + status)).text();
      }
    }
    server.close();
    server.closeAllConnections();
  });
`;

it('is less than 500 series for ten routes that succeed and fail', async () => {
  await using sidecar = await Sidecar.start();
  const service = spawn(
    process.execPath,
    ['--import', 'siphon-otel/preload', '--input-type=module', '--eval', SERVICE],
    {
      cwd: projectRoot,
      env: {
        PATH: process.env['PATH'],
        OTEL_SERVICE_NAME: 'ten-routes',
        OTEL_EXPORTER_OTLP_ENDPOINT: sidecar.otlpHttp,
      },
      stdio: 'inherit',
    },
  );
  expect(await once(service, 'exit')).toEqual([0, null]);
  const samples = parsePrometheusText(await sidecar.scrape()).flatMap((family) => family.samples);
  const own = samples.filter(({ labels }) => labels['job'] === 'ten-routes');
  const requests = own.filter(({ name }) => name === 'http_server_request_duration_seconds_count');
  expect(requests).toHaveLength(20);
  expect(own.length).toBeLessThan(SERIES_OF_A_SERVICE);
});
