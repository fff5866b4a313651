import { createInterface } from 'node:readline';
import { connectDriver, type NewSample } from '@concord/sdk/driver';

const { CONCORD_URL: url = '', CONCORD_TOKEN: token = '', CONCORD_PROJECT: id = '' } = process.env;
const driver = connectDriver({ url, token });
const project = await driver.project(id);

// One message a line on standard input. Run again, the import goes on where it broke off.
const messages: NewSample[] = [];
for await (const text of createInterface(process.stdin)) {
  messages.push({ key: `message-${messages.length}`, data: { text } });
}
await project.importSamples(messages, { importId: 'messages' });

// A model of one feature: who shouts is likely to sell something. Columns are in the order of the labels given.
const shouting = (text: string) => text.replace(/[^A-Z!]/g, '').length / Math.max(1, text.length);
const probabilities = new Float32Array(messages.length * 2);
for (const [row, { data }] of messages.entries()) {
  const spam = Math.min(1, 2 * shouting((data as { text: string }).text));
  probabilities.set([spam, 1 - spam], row * 2);
}
const keys = messages.map(({ key }) => key);
const run = await project.publishPredictions({
  model: 'shouting-1',
  keys,
  labels: ['spam', 'ham'],
  probabilities,
});
console.log(`${run.accepted} of ${run.rows} are clear enough; people decide the rest.`);

const round = await project.openRound({ size: 10, strategy: 'hybrid' });
for await (const { round: now, answers } of project.roundProgress(round)) {
  console.log(`round ${now.number}: ${now.settled} of ${now.total} settled, ${answers} answers so far`);
}
for await (const { sample, label, source } of project.trainingSet()) console.log(sample.key, label, source);
driver.close();
