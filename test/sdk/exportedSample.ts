import type { SampleRecord } from '../../sdk/src/formats/index.ts';

/** A sample that two people have labelled, as the service exports it. */
export const SAMPLE: SampleRecord = {
  key: 'k',
  number: 0,
  data: { text: 'a' },
  predicted: 'ham',
  confidence: 0.75,
  autoAccepted: false,
  consensus: { label: null, tied: ['ham', 'spam'], votes: 1, of: 2 },
  gold: null,
  ruling: {
    label: 'spam',
    reason: 'it sells',
    by: 'who-ruled',
    at: '2026-03-02T08:00:00.000Z',
  },
  skips: 0,
  unanswerable: false,
  annotations: ['ham', 'spam'].map((label) => ({
    id: `of-${label}`,
    annotator: `who-said-${label}`,
    label,
    answeredAt: '2026-03-01T10:15:30.000Z',
    milliseconds: 1_500,
    draw: 'RANDOM',
    round: 1,
    suggestion: null,
    suggestions: 'HIDDEN',
    firstLabel: null,
    movedToSuggestion: false,
    predictionRun: 2,
    predicted: 'ham',
    counted: true,
  })),
};
