import { createClient, RoundOpenError } from '@concord/sdk/client';

const { CONCORD_URL: url = '', CONCORD_TOKEN: token = '', CONCORD_PROJECT: project = '' } = process.env;
const client = createClient({ url, token });

// Every operation is a typed function. A refusal is an error of a class of its own, with its details.
try {
  const { number, size } = await client.openRound({ project, size: 5, strategy: 'random' });
  console.log(`Opened round ${number} with ${size} samples.`);
} catch (error) {
  if (!(error instanceof RoundOpenError)) throw error;
  console.log(`Round ${error.round} is open already.`);
}

// A state is pushed as it is, and again whenever it changes. Leaving the loop ends it.
for await (const { alpha } of client.watchAgreement({ project })) {
  console.log(alpha.__typename === 'AgreementFigure' ? `alpha ${alpha.value} (${alpha.band})` : alpha.reason);
  break;
}

// A feed gives every item once and in order, over lost connections too. Keep its cursor to go on after a restart.
let after: string | null = null;
for await (const push of client.followPrioritized({ project, after })) {
  after = push.cursor;
  if (push.__typename === 'FeedReset') continue;
  for (const { rank, priority, data } of push.samples) console.log(rank, priority, JSON.stringify(data));
  break;
}

client.close();
