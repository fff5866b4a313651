import { majority } from '../../src/domain/consensus.ts';
import { type Answers, type DawidSkeneFit, dawidSkene, posterior } from '../../src/domain/dawidSkene.ts';
import { aimed, type Row, told } from '../scale/table.ts';
import { ANNOTATORS, CLASSES, type SimulatedAnswers, simulatedAnswers } from './answers.ts';
import { timed } from './processorTime.ts';

/** How long the estimate by Dawid and Skene takes, and what it gains over the majority. */
export function consensusRows(tell: (what: string) => void): Row[] {
  const rows: Row[] = [];
  for (const perSample of [2, 3, 5]) {
    tell(`consensus of ${perSample} answers a sample`);
    const simulated = simulatedAnswers(perSample, ANNOTATORS / 5, 7);
    const answers = columnsOf(simulated);
    const one = timed(() => dawidSkene(answers, { restarts: 0 }));
    const all = timed(() => dawidSkene(answers));
    const estimated = shareRight(simulated, (said, truth) => estimatedLabel(all.value, said, truth));
    const voted = shareRight(simulated, majorityShare);
    const size = `100,000 answers, 100 annotators, 10 classes, ${perSample} answers a sample`;
    rows.push(
      told(
        `Dawid–Skene, ${perSample} answers a sample`,
        `${(all.ms / 1_000).toFixed(1)} s`,
        `${size}; processor time of four starts; one alone takes ${(one.ms / 1_000).toFixed(1)} s and ${one.value.iterations} steps${one.value.converged ? '' : ', not converged'}`,
      ),
      aimed(
        `Right labels, a fifth careless, ${perSample} answers a sample`,
        `${percent(estimated)}`,
        { value: 100 * estimated, least: Number((100 * voted).toFixed(1)), unit: '%: the majority' },
        'careful people err in 15 %, careless ones answer at random; of votes that tie, the majority takes any',
      ),
    );
  }
  return rows;
}

function columnsOf({ perSample, annotator, label, truth }: SimulatedAnswers): Answers {
  const samples = truth.length;
  return {
    classes: CLASSES,
    annotators: ANNOTATORS,
    offsets: Uint32Array.from({ length: samples + 1 }, (_, i) => i * perSample),
    annotator,
    label,
    known: new Int32Array(samples).fill(-1),
    forPrior: new Uint8Array(samples),
  };
}

type Said = readonly { readonly annotator: number; readonly label: number }[];

/** The mean, over samples, of how sure a rule is to take the true class. */
function shareRight(
  { perSample, annotator, label, truth }: SimulatedAnswers,
  rule: (said: Said, truth: number) => number,
): number {
  let right = 0;
  for (const [i, one] of truth.entries()) {
    const said = Array.from({ length: perSample }, (_, k) => ({
      annotator: annotator[i * perSample + k] as number,
      label: label[i * perSample + k] as number,
    }));
    right += rule(said, one);
  }
  return right / truth.length;
}

function estimatedLabel(fit: DawidSkeneFit, said: Said, truth: number): number {
  const shares = posterior(fit, said);
  return Number(shares.indexOf(Math.max(...shares)) === truth);
}

function majorityShare(said: Said, truth: number): number {
  const found = majority(said.map(({ label }) => label));
  if (found.kind === 'label') return Number(found.label === truth);
  return found.kind === 'tie' && found.labels.includes(truth) ? 1 / found.labels.length : 0;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
