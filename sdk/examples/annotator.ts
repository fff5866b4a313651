import { createInterface } from 'node:readline/promises';
import { connectAnnotator, UnknownLabelError } from '@concord/sdk/annotator';

const { CONCORD_URL: url = '', CONCORD_TOKEN: token = '', CONCORD_PROJECT: project = '' } = process.env;
const annotator = await connectAnnotator({ url, token, project, hold: 3 });
const terminal = createInterface({ input: process.stdin, output: process.stdout });
const choice = `${annotator.project.labels.join(', ')}, or nothing to skip: `;

// What to label, the most useful first. Without endOn it would wait for the next round.
for await (const assignment of annotator.assignments({ endOn: ['DONE', 'NO_ROUND'] })) {
  console.log(JSON.stringify(assignment.data));
  const shown = assignment.suggestion;
  if (shown !== null) console.log(`A model says: ${shown}`);
  for (let answered = false; !answered; ) {
    const label = await terminal.question(choice);
    try {
      if (label === '') await annotator.skip(assignment);
      else {
        const { suggestion } = (await annotator.submit(assignment, label)).assignment;
        // The policy may keep it back until there is an answer, which may then be changed.
        if (shown === null && suggestion !== null && suggestion !== label) {
          const change = await terminal.question(`A model says: ${suggestion}. Take that? (y/n) `);
          if (change === 'y') await annotator.revise(assignment, suggestion);
        }
      }
      answered = true;
    } catch (error) {
      if (!(error instanceof UnknownLabelError)) throw error;
      console.log(`There is no '${error.label}'.`);
    }
  }
}

console.log(`Your answers: ${annotator.queue?.answers}. Thank you.`);
terminal.close();
annotator.close();
