import type { ConformanceCase } from '../conformance-case.ts';
import { counter, from, gauge, histogram, type Attributes, type Json } from '../otlp-json.ts';

const SHOP = { 'service.name': 'shop', 'service.namespace': 'coffee', 'service.instance.id': 'i1' };
const HOST = { ...SHOP, 'host.name': 'h"1', 'host.cpu.count': 4n, '1st': true };

const RESOURCES: Readonly<Record<string, Attributes>> = {
  'nothing known': {},
  'a name': { 'service.name': 'shop' },
  'a name and a namespace': { 'service.name': 'shop', 'service.namespace': 'coffee' },
  'a namespace without a name': { 'service.namespace': 'coffee' },
  'an instance': { 'service.instance.id': 'i1' },
  'a name and an instance': { 'service.name': 'shop', 'service.instance.id': 'i1' },
  'name, namespace and instance': SHOP,
  'more than the identity': HOST,
  'an empty name': { 'service.name': '', 'service.instance.id': 'i1' },
  'an empty namespace': { ...SHOP, 'service.namespace': '' },
  'an empty instance': { ...SHOP, 'service.instance.id': '' },
  'a name that is a number': { 'service.name': 7n, 'service.instance.id': 1.5 },
  'an attribute of each kind': { ...SHOP, s: 'x', b: false, i: 1n, d: 1.5, a: ['x'], m: { k: 'v' }, n: null },
};

const all = (attributes: Attributes = {}): Json[] => [
  gauge('g', [{ attributes, value: 1 }]),
  counter('c', [{ attributes, value: 2 }]),
  histogram('h', [{ attributes, count: 1n, sum: 3, bounds: [1], counts: [0n, 1n] }]),
];

const SHORT = { without_scope_info: true };
const AS_LABELS = { ...SHORT, resource_to_telemetry_conversion: { enabled: true } };
const WITHOUT_SERVICE = {
  ...SHORT,
  resource_to_telemetry_conversion: { enabled: true, exclude_service_attributes: true },
};

export const resourceCases: readonly ConformanceCase[] = [
  ...Object.entries(RESOURCES).map(([what, resource]) => ({
    name: `resource: ${what}`,
    requests: [[from(resource, {}, all())]],
  })),
  ...Object.entries(RESOURCES).map(([what, resource]) => ({
    name: `resource as labels: ${what}`,
    config: AS_LABELS,
    requests: [[from(resource, {}, all({ z: '1' }))]],
  })),
  { name: 'resource as labels: without the service', config: WITHOUT_SERVICE, requests: [[from(HOST, {}, all())]] },
  {
    name: 'resource as labels: an attribute of the point has the same key',
    config: AS_LABELS,
    requests: [[from(HOST, {}, all({ 'host.name': 'own' }))]],
  },
  {
    name: 'resources: two instances',
    requests: [['i1', 'i2'].map((id) => from({ ...SHOP, 'service.instance.id': id }, {}, all()))],
  },
  {
    name: 'resource: attributes that collide',
    requests: [[from({ ...SHOP, 'a.b': 'x', a_b: 'y', 'a-b': 'z' }, {}, [gauge('g', [{ value: 1 }])])]],
    differs: {
      id: 'prometheus-label-collision',
      page: [
        '# HELP g ',
        '# TYPE g gauge',
        'g{instance="i1",job="coffee/shop"} 1',
        '# HELP target_info Target metadata',
        '# TYPE target_info gauge',
        'target_info{a_b="z;x;y",instance="i1",job="coffee/shop"} 1',
      ],
    },
  },
  {
    name: 'resources: one that learns more',
    requests: [
      [from({ 'service.name': 'shop' }, {}, [gauge('g', [{ value: 1 }])])],
      [from({ 'service.name': 'shop', 'host.name': 'h1' }, {}, [gauge('g', [{ value: 2, time: 20 }])])],
    ],
    differs: { id: 'prometheus-duplicate-series', page: ['# HELP g ', '# TYPE g gauge', 'g{job="shop"} 1'] },
  },
  {
    name: 'resources: two with one identity, shown by their other attributes',
    config: AS_LABELS,
    requests: [
      ['h1', 'h2'].map((host) => from({ 'service.name': 'shop', 'host.name': host }, {}, [gauge('g', [{ value: 1 }])])),
    ],
  },
  {
    name: 'resources: the same in two requests',
    requests: [10, 20].map((time) => [from(SHOP, {}, [counter('c', [{ value: time, time }])])]),
  },
];
