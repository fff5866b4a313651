import { Parser } from 'htmlparser2';
import { describe, expect, it } from 'vitest';
import { learningCurveChart } from '../../demo/chart.ts';
import { findCrossing, meanCurve } from '../../demo/learning-curve.ts';

const curve = (...points: [number, number][]) => points.map(([labels, accuracy]) => ({ labels, accuracy }));
const hybrid = [curve([40, 0.8], [80, 0.94], [120, 0.97]), curve([42, 0.82], [84, 0.95], [125, 0.96])];
const random = [curve([40, 0.8], [80, 0.85], [120, 0.9]), curve([42, 0.82], [84, 0.86], [125, 0.92])];

describe('meanCurve', () => {
  it('holds each run at its newest model, over what all runs cover', () => {
    expect(meanCurve(hybrid)).toEqual([
      { labels: 42, accuracy: (0.8 + 0.82) / 2 },
      { labels: 80, accuracy: (0.94 + 0.82) / 2 },
      { labels: 84, accuracy: (0.94 + 0.95) / 2 },
      { labels: 120, accuracy: (0.97 + 0.95) / 2 },
    ]);
    expect(meanCurve([])).toEqual([]);
    expect(meanCurve([curve([1, 0.5], [2, 0.6])])).toEqual(curve([1, 0.5], [2, 0.6]));
  });
});

describe('findCrossing', () => {
  it('is the first point as accurate as the reference at its end', () => {
    expect(
      findCrossing(curve([40, 0.8], [80, 0.9], [100, 0.85], [120, 0.95]), curve([40, 0.8], [160, 0.9])),
    ).toEqual({
      labels: 80,
      accuracy: 0.9,
      referenceLabels: 160,
      share: 0.5,
    });
  });

  it('is nothing when the curve never gets there, or there is nothing to reach', () => {
    expect(findCrossing(curve([40, 0.8]), curve([40, 0.9]))).toBeUndefined();
    expect(findCrossing(curve([40, 0.8]), [])).toBeUndefined();
  });
});

describe('learningCurveChart', () => {
  const crossing = findCrossing(meanCurve(hybrid), meanCurve(random));
  const svg = learningCurveChart({
    title: 'Spam & <ham>',
    subtitle: '"quoted"',
    series: [
      { name: 'hybrid', runs: hybrid },
      { name: 'random', runs: random },
    ],
    crossing,
  });

  it('is well-formed XML', () => {
    const open: string[] = [];
    let texts = '';
    const parser = new Parser(
      {
        onopentagname: (name) => open.push(name),
        onclosetag: (name, implied) => {
          expect(implied).toBe(false);
          expect(open.pop()).toBe(name);
        },
        ontext: (text) => {
          texts += text;
        },
      },
      { xmlMode: true },
    );
    parser.end(svg.replace(/<(\w+)([^<>]*)\/>/g, '<$1$2></$1>'));
    expect(open).toEqual([]);
    expect(texts).toContain('Spam & <ham>');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('shows both series, the seeds and the crossing', () => {
    expect(svg).toContain('data-series="hybrid"');
    expect(svg).toContain('data-series="random"');
    expect(svg.match(/stroke-opacity/g)).toHaveLength(4);
    expect(svg).toContain('random (mean of 2 seeds)');
    expect(svg).toContain(`${crossing?.labels} labels instead of ${crossing?.referenceLabels}`);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  });

  it('draws one run with its rounds, and survives a curve of one point', () => {
    const one = learningCurveChart({ title: 'One', series: [{ name: 'random', runs: random.slice(0, 1) }] });
    expect(one.match(/<circle/g)).toHaveLength(3);
    expect(learningCurveChart({ title: 'P', series: [{ name: 'a', runs: [curve([5, 1])] }] })).not.toMatch(
      /NaN/,
    );
  });
});
