import { seededRandom, shuffled } from './annotator.ts';
import { type Classifier, train } from './classifier.ts';
import { fitFeatures, type SparseRow } from './features.ts';
import { type Mail, type MailLabel, wholeText } from './mail.ts';

export const CLASSES: readonly MailLabel[] = ['ham', 'spam'];

/** A mail with its features. */
export interface Example {
  readonly mail: Mail;
  readonly row: SparseRow;
}

/** What both ways of choosing share: the pool to label, the held-out test, and the way to a model. */
export interface Study {
  readonly pool: readonly Example[];
  readonly test: readonly Example[];
}

/** Divides the mails at random. Features are fitted on the pool's texts alone. */
export function prepareStudy(mails: readonly Mail[], heldOut: number, seed: number): Study {
  const order = shuffled(mails, seededRandom(seed));
  const poolMails = order.slice(heldOut);
  const vocabulary = fitFeatures(poolMails.map(wholeText));
  const example = (mail: Mail): Example => ({ mail, row: vocabulary.featurise(wholeText(mail)) });
  return { pool: poolMails.map(example), test: order.slice(0, heldOut).map(example) };
}

/** A model of the labels that people have given so far. */
export function fitModel(labelled: readonly (readonly [Example, string])[]): Classifier {
  return train(
    labelled.map(([{ row }]) => row),
    labelled.map(([, label]) => label),
    CLASSES,
  );
}

/** The share of held-out mails that a model gets right. */
export function heldOutAccuracy(model: Classifier, test: readonly Example[]): number {
  const probabilities = model.probabilities(test.map(({ row }) => row));
  const right = test.filter(({ mail }, i) => {
    const row = probabilities.subarray(i * CLASSES.length, (i + 1) * CLASSES.length);
    return CLASSES[row.indexOf(Math.max(...row))] === mail.label;
  });
  return right.length / test.length;
}
