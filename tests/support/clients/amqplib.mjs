import { connect } from 'amqplib';

export async function use(url) {
  const connection = await connect(url);
  const channel = await connection.createChannel();
  const { queue } = await channel.assertQueue('', { exclusive: true });
  const received = Promise.withResolvers();
  await channel.consume(queue, (message) => {
    channel.ack(message);
    received.resolve();
  });
  channel.sendToQueue(queue, Buffer.from('secret'), { headers: { own: 'header' } });
  await received.promise;
  await channel.close();
  await connection.close();
}
