import type { FaultEnvironment } from './fault-environment.ts';

/** Sends metrics of a service that uses an id as a label. */
export async function flood({ watched }: FaultEnvironment, series: number): Promise<void> {
  const dataPoints = Array.from({ length: series }, (_, number) => ({
    asInt: '1',
    timeUnixNano: `${Date.now()}000000`,
    attributes: [{ key: 'id', value: { stringValue: String(number) } }],
  }));
  const metrics = [{ name: 'careless', gauge: { dataPoints } }];
  const response = await fetch(`http://127.0.0.1:${watched.demo.ports.otlpHttp}/v1/metrics`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceMetrics: [{ resource: {}, scopeMetrics: [{ metrics }] }] }),
  });
  if (!response.ok) throw new Error(`the sidecar answered ${response.status}: ${await response.text()}`);
}
