import { expect, it } from 'vitest';
import { SharedAnswers, seededRandom, shuffled, simulateAnnotator } from '../../demo/annotator.ts';

const options = { name: 'Ann', classes: ['ham', 'spam', 'news'], errorRate: 0.05, paceMs: 100, seed: 3 };

it('errs as often as it should, towards any other class', () => {
  const ann = simulateAnnotator(options);
  const answers = Array.from({ length: 20_000 }, (_, i) => ann.answer(`mail ${i}`, 'ham'));
  const share = (label: string) => answers.filter((answer) => answer === label).length / answers.length;
  expect(share('ham')).toBeCloseTo(0.95, 2);
  expect(share('spam')).toBeCloseTo(0.025, 2);
  expect(share('news')).toBeCloseTo(0.025, 2);
});

it('is the same person for the same seed, at whatever pace', () => {
  const answers = (extra: object) => {
    const ann = simulateAnnotator({ ...options, ...extra, errorRate: 0.3 });
    return Array.from({ length: 50 }, (_, i) => ann.answer(`mail ${i}`, 'ham'));
  };
  expect(answers({ paceMs: 5 })).toEqual(answers({}));
  expect(answers({ seed: 4 })).not.toEqual(answers({}));
});

it('answers the same to the same mail, in whatever order it is asked', () => {
  const mails = Array.from({ length: 50 }, (_, i) => `mail ${i}`);
  const ann = simulateAnnotator({ ...options, errorRate: 0.3 });
  const forwards = mails.map((mail) => ann.answer(mail, 'ham'));
  expect([...mails].reverse().map((mail) => ann.answer(mail, 'ham'))).toEqual([...forwards].reverse());
});

it('lets two runs meet the same labels, whoever is asked', () => {
  const answers = new SharedAnswers();
  const [one, other] = [answers.forRun(), answers.forRun()];
  const [ann, ben] = [4, 5].map((seed) => simulateAnnotator({ ...options, errorRate: 0.5, seed }));
  const mails = Array.from({ length: 50 }, (_, i) => `mail ${i}`);
  if (!ann || !ben) throw new Error('unreachable');
  const first = mails.map((mail) => one(ann, mail, 'ham'));
  expect(mails.map((mail) => other(ben, mail, 'ham'))).toEqual(first);
  const second = mails.map((mail) => one(ben, mail, 'ham'));
  expect(second).not.toEqual(first);
  expect(mails.map((mail) => other(ann, mail, 'ham'))).toEqual(second);
});

it('takes its own time', () => {
  const ann = simulateAnnotator(options);
  const times = Array.from({ length: 4_001 }, () => ann.thinkingTime()).sort((a, b) => a - b);
  expect(times[2_000]).toBeGreaterThan(95);
  expect(times[2_000]).toBeLessThan(105);
  expect(times[0]).toBeGreaterThan(10);
  expect(simulateAnnotator({ ...options, paceMs: 0 }).thinkingTime()).toBe(0);
});

it('refuses an impossible error rate', () => {
  expect(() => simulateAnnotator({ ...options, errorRate: 1.5 })).toThrow(RangeError);
});

it('shuffles reproducibly and loses nothing', () => {
  const items = Array.from({ length: 100 }, (_, i) => i);
  expect(shuffled(items, seededRandom(1))).toEqual(shuffled(items, seededRandom(1)));
  expect(shuffled(items, seededRandom(1))).not.toEqual(items);
  expect(shuffled(items, seededRandom(1)).sort((a, b) => a - b)).toEqual(items);
});
