import type { AnswerColumns } from '../domain/answerColumns.ts';
import { type AnswerTallies, tallyAnswers } from '../domain/answerTallies.ts';
import { type Answers, type DawidSkeneFit, dawidSkene, type FitOptions } from '../domain/dawidSkene.ts';

/** Works out what takes long, from numbers alone; where, is its own affair. */
export interface Calculator {
  /** Estimates consensus; see `dawidSkene`. */
  fit(answers: Answers, options: FitOptions): Promise<DawidSkeneFit>;
  /** Looks through all answers for a report; see `tallyAnswers`. The columns are given away. */
  tally(answers: AnswerColumns): Promise<AnswerTallies>;
  /** Ends what is under way, which then rejects. */
  close(): Promise<void>;
}

/** In this thread, which does nothing else meanwhile: for tests and programs without others to serve. */
export const IN_PROCESS: Calculator = {
  fit: async (answers, options) => dawidSkene(answers, options),
  tally: async (answers) => tallyAnswers(answers),
  close: async () => undefined,
};
