import type { ProjectEvent } from '../../src/domain/events.ts';
import { POLICY_PRESETS } from '../../src/domain/policy.ts';
import { Project } from '../../src/domain/project.ts';
import { type Row, told } from '../scale/table.ts';
import { ANNOTATORS, ANSWERS, CLASSES, type SimulatedAnswers, simulatedAnswers } from './answers.ts';
import { timed } from './processorTime.ts';
import { askPython } from './python.ts';

/** So many of the last answers are timed. */
const TIMED = 20_000;

/** What one answer costs once a project is large, beside counting all anew. */
export async function updateRows(tell: (what: string) => void): Promise<Row[]> {
  tell('answers to a large project');
  const answers = simulatedAnswers(2, ANNOTATORS / 5, 11);
  const project = projectOf(answers);
  const fold = (event: ProjectEvent) => project.fold(event, project.seq + 1, project.time + 1, noChunks);
  for (let at = 0; at < ANSWERS - TIMED; at++) fold(submitted(answers, at));
  const update = timed(() => {
    for (let at = ANSWERS - TIMED; at < ANSWERS; at++) fold(submitted(answers, at));
  });
  const reading = timed(() => project.agreement.overall());
  tell('the same, recounted by scikit-learn');
  const sample = Array.from(answers.annotator, (_, at) => Math.floor(at / answers.perSample));
  const columns = { sample, annotator: [...answers.annotator], label: [...answers.label] };
  const recount = await askPython<{ milliseconds: number; pairs: number }>({ what: 'recount', ...columns });
  const size = '100,000 answers, 100 annotators, 10 classes, two answers a sample';
  return [
    told(
      "One answer's update to all counts",
      `${((1_000 * update.ms) / TIMED).toFixed(1)} µs`,
      `${size}; the whole event: queue, round, consensus, disagreements, agreement of all and of each pair; mean of the last 20,000, in processor time`,
    ),
    told(
      'The kappas of all pairs, recounted',
      `${(recount.milliseconds / 1_000).toFixed(1)} s`,
      `scikit-learn's cohen_kappa_score on the same answers, ${recount.pairs.toLocaleString('en-US')} pairs`,
    ),
    told(
      'Reading alpha, Fleiss, AC1 and raw agreement',
      `${reading.ms.toFixed(1)} ms`,
      'from the counts, with their intervals',
    ),
  ];
}

/** All samples in the hands of those who are to answer them. */
function projectOf({ perSample, annotator, truth }: SimulatedAnswers): Project {
  const project = new Project();
  const events: ProjectEvent[] = [
    {
      type: 'projectCreated',
      version: 2,
      labels: Array.from({ length: CLASSES }, (_, label) => `class ${label}`),
      scale: { kind: 'ORDINAL', values: [] },
      guidelines: '',
      policy: POLICY_PRESETS.QUALITY,
      seed: 1,
      by: 'owner',
    },
    {
      type: 'samplesImported',
      importId: 'import',
      part: 0,
      keys: Array.from(truth, (_, i) => `sample ${i}`),
      blocks: [{ chunk: 'payloads', count: truth.length }],
      overlap: perSample,
      overlapping: Uint32Array.from(truth, (_, i) => i),
      by: 'owner',
    },
  ];
  for (const [at, one] of annotator.entries()) {
    events.push({
      type: 'granted',
      assignment: `assignment ${at}`,
      sample: Math.floor(at / perSample),
      member: `member ${one}`,
      draw: 'POOL',
      until: Number.MAX_SAFE_INTEGER,
      suggestion: -1,
      predicted: -1,
    });
  }
  for (const event of events) project.fold(event, 1, 1, noChunks);
  return project;
}

function submitted({ label }: SimulatedAnswers, at: number): ProjectEvent {
  const answer = { label: label[at] as number, milliseconds: 2_000, counted: true };
  return { type: 'submitted', assignment: `assignment ${at}`, ...answer };
}

function noChunks(id: string): never {
  throw new Error(`no chunk ${id}`);
}
