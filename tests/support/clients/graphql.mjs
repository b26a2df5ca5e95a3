import { trace } from '@opentelemetry/api';
import {
  execute,
  graphql,
  GraphQLError,
  GraphQLInt,
  GraphQLList,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
  subscribe,
} from 'graphql';

const broken = new RangeError('no coffee');

async function* brewing() {
  yield { brewing: 'one' };
}

const fields = {
  price: {
    type: GraphQLString,
    args: { name: { type: GraphQLString } },
    resolve: () => trace.getTracer('test').startActiveSpan('lookup', (span) => (span.end(), 'free')),
  },
  later: {
    type: GraphQLString,
    resolve: async () => {
      await new Promise((resolve) => void setTimeout(resolve, 5));
      return await trace.getTracer('test').startActiveSpan('lookup', async (span) => (span.end(), 'soon'));
    },
  },
  broken: { type: GraphQLString, resolve: async () => await Promise.reject(broken) },
  failures: {
    type: new GraphQLList(GraphQLString),
    resolve: () => Array.from({ length: 30 }, (_, i) => new Error(`failure ${i}`)),
  },
  refused: {
    type: GraphQLString,
    resolve: () => {
      throw new GraphQLError('a secret is not yours');
    },
  },
  missing: {
    type: GraphQLString,
    resolve: () => {
      throw Object.assign(new Error('no secret here'), { status: 404 });
    },
  },
};

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields }),
  mutation: new GraphQLObjectType({
    name: 'Mutation',
    fields: { order: { type: GraphQLString, args: { count: { type: GraphQLInt } } } },
  }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: { brewing: { type: GraphQLString, subscribe: brewing } },
  }),
});

export async function use() {
  await graphql({ schema, source: 'query Price { price(name: "secret") }' });
  await graphql({ schema, source: '{ later }' });
  await graphql({ schema, source: 'query Broken { broken again: broken }' });
  await graphql({ schema, source: 'query Failures { failures }' });
  await graphql({ schema, source: 'query Refused { refused missing }' });
  const source = 'mutation Order($count: Int) { order(count: $count) }';
  await graphql({ schema, source, variableValues: { count: 'secret' } });
  const document = parse('query One { price } query Two { price }');
  await execute({ schema, document, operationName: 'Two' });
  await execute({ schema, document, operationName: 'secret'.repeat(1000) });
  for await (const event of await subscribe({ schema, document: parse('subscription Brewing { brewing }') }))
    void event;
  for (let i = 0; i < 200; i += 1) await graphql({ schema, source: `query Client${i} { __typename }` });
}
