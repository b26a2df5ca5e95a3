import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { startKafkaServer } from './kafka-server.mjs';

// The library sets timers with negative times, about which Node warns.
process.removeAllListeners('warning');

export async function use() {
  const server = await startKafkaServer();
  const kafka = new Kafka({ brokers: [server.broker], logLevel: logLevel.NOTHING, retry: { initialRetryTime: 10 } });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const own = { key: 'secret', value: 'secret', headers: { own: 'secret' } };
  await producer.send({ topic: 'coffee', messages: [own] });
  if (Object.keys(own.headers).length > 1) throw new Error('the message of the service has changed');
  await producer.sendBatch({ topicMessages: [{ topic: 'tea', messages: [own, own] }] });
  await producer.send({ topic: 'coffee', messages: [{}] }).catch(() => undefined);

  let attempts = 0;
  const processed = Promise.withResolvers();
  await consume(kafka, 'coffee', processed.promise, {
    eachMessage: async ({ message }) => {
      attempts += 1;
      if (attempts === 1) throw new Error('no coffee');
      processed.resolve(message.value);
    },
  });
  const batch = Promise.withResolvers();
  await consume(kafka, 'tea', batch.promise, { eachBatch: async ({ batch: { messages } }) => batch.resolve(messages) });
  await producer.disconnect();
  server.stop();
}

async function consume(kafka, topic, done, handlers) {
  const consumer = kafka.consumer({ groupId: topic, maxWaitTimeInMs: 10, retry: { initialRetryTime: 10 } });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run(handlers);
  await done;
  await consumer.disconnect();
}
