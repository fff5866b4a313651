import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectAnnotator } from '../../sdk/src/annotator/index.ts';
import { connectDriver, type Driver, type DriverProject, type NewToken } from '../../sdk/src/driver/index.ts';
import { ServiceProcess } from './serviceProcess.ts';

const OWNER = 'owner-of-the-service'.padEnd(40, '0');
const SAMPLES = 300;
const LABELS = ['ham', 'spam', 'news & offers'];
/** Names are data too. */
const NASTY = '<script>alert("x")</script>';

/** `concord report`, as it is run from a shell against a running service. */
describe('the report', () => {
  let folder: string;
  let service: ServiceProcess;
  let driver: Driver;
  let url: string;
  const commands: ServiceProcess[] = [];
  const at = (name: string) => join(folder, name);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'concord-report-'));
    const args = ['--store', at('store'), '--port', '0'];
    service = await ServiceProcess.ready({ args, env: { CONCORD_OWNER_TOKEN: OWNER } });
    url = `${service.url}/graphql`;
    driver = connectDriver({ url, token: OWNER });
  });
  afterAll(async () => {
    driver?.close();
    for (const command of commands) await command.kill();
    await service?.kill();
    await rm(folder, { recursive: true });
  });

  async function concord(token: string, ...args: readonly string[]) {
    const command = new ServiceProcess({ args, env: { CONCORD_URL: url, CONCORD_TOKEN: token } });
    commands.push(command);
    const { code } = await command.exited;
    return { code, out: command.log, errors: command.errors };
  }

  const truth = (key: string) => Number(key.slice(1)) % LABELS.length;

  /** Everybody labels what the open round gives them; `slip` tells how often each is wrong, by their number. */
  async function label(people: readonly NewToken[], project: DriverProject, slip: (who: number) => number) {
    let turn = 0;
    for (const [who, { token }] of people.entries()) {
      const annotator = await connectAnnotator({ url, token, project: project.id, hold: 5 });
      for await (const assignment of annotator.assignments({
        endOn: ['NO_ROUND', 'ALL_HAD_BY_YOU', 'DONE'],
      })) {
        const { key } = assignment.data as { key: string };
        const wrong = ++turn % Math.round(1 / slip(who)) === 0;
        await annotator.submit(assignment, LABELS[(truth(key) + Number(wrong)) % LABELS.length] ?? '', {
          milliseconds: 2_000 + 500 * who,
        });
      }
      annotator.close();
    }
  }

  /** A model that is right of as many samples as it has learnt. */
  function publish(project: DriverProject, model: string, right: number) {
    const probabilities = new Float32Array(SAMPLES * LABELS.length).fill(0.05);
    for (let i = 0; i < SAMPLES; i++) {
      const isRight = (i * 7) % 100 < right;
      probabilities[i * LABELS.length + ((i + Number(!isRight)) % LABELS.length)] = 0.9;
    }
    return project.publishPredictions({
      model,
      numbers: Uint32Array.from({ length: SAMPLES }, (_, i) => i),
      probabilities,
    });
  }

  async function make(): Promise<{ project: DriverProject; people: NewToken[] }> {
    const project = await driver.createProject({
      name: `Mail ${NASTY}`,
      labels: LABELS,
      policy: { overlapShare: 1, overlap: 2, workSessionMinutes: 0, suggestions: 'HIDDEN' },
      seed: 1,
    });
    await project.importSamples(
      Array.from({ length: SAMPLES }, (_, i) => ({ key: `m${i}`, data: { key: `m${i}` } })),
    );
    const people: NewToken[] = [];
    for (const name of ['Ann', NASTY]) people.push(await project.addMember({ name, role: 'ANNOTATOR' }));
    return { project, people };
  }

  it('says of a new project what is missing', async () => {
    const { project } = await make();
    const found = await project.report();
    expect(found.report).toMatchObject({
      cost: { samples: SAMPLES, answers: 0, hours: null },
      learningCurve: [],
      agreementTrend: [],
      classPairs: [],
      people: [],
    });
    expect(found.report?.advice[0]).toEqual({
      urgency: 'ACT',
      text: 'Nobody has labelled anything yet: add annotators and let them begin.',
    });
    expect(await concord(OWNER, 'report', project.id, '--to', at('new.html'))).toMatchObject({ code: 0 });
    const page = await readFile(at('new.html'), 'utf8');
    expect(page).toContain('No predictions have been published.');
    expect(page).toContain('Nobody has answered yet.');
    expect(page).not.toMatch(/NaN|undefined|Infinity|null/);
  });

  it('tells cost, curve, agreement, confusion and drift, on a page that needs nothing else', async () => {
    const { project, people } = await make();
    for (const [round, right] of [
      [0, 30],
      [1, 75],
      [2, 95],
    ] as const) {
      await publish(project, `model-${round}`, right);
      await project.openRound({ size: 100, strategy: 'random' });
      await label(people, project, (who) => (who === 1 && round === 2 ? 1 / 3 : 1 / 20));
    }
    const { report, agreement } = await project.report();
    if (report === null) throw new Error('the owner may see it');
    expect(report.cost).toMatchObject({ labelled: SAMPLES, answers: 2 * SAMPLES, measured: 2 * SAMPLES });
    expect(report.cost.hours).toBeCloseTo((SAMPLES * (2_000 + 2_500)) / 3_600_000);
    expect(report.learningCurve.map(({ answers, heldOut }) => ({ answers, heldOut }))).toEqual([
      { answers: 0, heldOut: 200 },
      { answers: 200, heldOut: 200 },
      { answers: 400, heldOut: 200 },
    ]);
    const accuracies = report.learningCurve.map(({ accuracy }) => accuracy?.value ?? 0);
    // Of the last, somebody who errs more says otherwise: that it is better than the second is chance.
    expect(Math.min(...accuracies.slice(1))).toBeGreaterThan(accuracies[0] ?? 1);
    expect(report.agreementTrend).toHaveLength(10);
    // Every two answers to a sample are somewhere in the confusion.
    expect(report.classPairs.reduce((sum, pair) => sum + pair.count, 0)).toBe(SAMPLES);
    const together = report.classPairs.filter(({ first, second }) => first === second);
    expect(agreement.raw).toMatchObject({
      observed: expect.closeTo(together.reduce((sum, pair) => sum + pair.count, 0) / SAMPLES),
    });
    expect(report.people).toHaveLength(2);
    for (const { withConsensus, throughput, secondsPerAnswer, drift } of report.people ?? []) {
      expect(withConsensus).toMatchObject({ n: SAMPLES });
      expect(throughput).toMatchObject({ n: SAMPLES, hours: expect.any(Number) });
      expect(secondsPerAnswer).toMatchObject({ n: SAMPLES, median: expect.any(Number) });
      // All of it was within the hour, or two.
      expect(drift).toHaveProperty('__typename');
    }
    expect(report.advice.map(({ text }) => text).join()).toContain('People agree less lately');

    const file = at('report.html');
    expect(await concord(OWNER, 'report', project.id, '--to', file)).toMatchObject({ code: 0 });
    const page = await readFile(file, 'utf8');
    const keep = process.env['REPORT_TO'];
    // To be looked at.
    if (keep !== undefined) await writeFile(keep, page);
    expect(page).not.toContain('<script');
    expect(page).toContain('&#60;script&#62;alert(&#34;x&#34;)');
    expect(page).toContain('news &#38; offers');
    expect(page).not.toMatch(/NaN|undefined|Infinity|https?:\/\/|src=|@import/);
    expect(page.match(/<svg/g)).toHaveLength(2);
    const { code, out } = await concord(OWNER, 'report', project.id);
    expect({ code, report: JSON.parse(out).report }).toEqual({ code: 0, report });

    // Figures of each person are for owners, and annotators get none at all.
    const viewer = await project.addMember({ name: 'Vera', role: 'VIEWER' });
    const seen = await concord(viewer.token, 'report', project.id);
    expect(JSON.parse(seen.out).report).toEqual({ ...report, people: null });
    expect(await concord(people[0]?.token ?? '', 'report', project.id)).toMatchObject({
      code: 1,
      errors: expect.stringContaining('role'),
    });
  });

  it('tells how far suggestions sway people, by the mode in which they saw them', async () => {
    const project = await driver.createProject({
      name: 'Swayed',
      labels: LABELS,
      policy: { overlapShare: 1, workSessionMinutes: 0, hiddenShare: 0, autoAcceptThreshold: null },
      seed: 1,
    });
    await project.importSamples(Array.from({ length: SAMPLES }, (_, i) => ({ key: `m${i}`, data: i })));
    await publish(project, 'ham', 100);
    const people = await Promise.all(
      ['Ann', 'Ben'].map(async (name) => (await project.addMember({ name, role: 'ANNOTATOR' })).token),
    );
    // Ben takes what he is shown; of themselves they always say two different things.
    for (const [suggestions, hiddenShare] of [
      ['SHOWN', 0.5],
      ['AFTER_FIRST_ANSWER', 0],
    ] as const) {
      await driver.client.updatePolicy({ project: project.id, policy: { suggestions, hiddenShare } });
      await project.openRound({ size: 150, strategy: 'random' });
      for (const [who, token] of people.entries()) {
        const annotator = await connectAnnotator({ url, token, project: project.id, hold: 5 });
        const endOn = ['NO_ROUND', 'ALL_HAD_BY_YOU', 'DONE'] as const;
        for await (const assignment of annotator.assignments({ endOn })) {
          const model = Number(assignment.data) % LABELS.length;
          const own = LABELS[(model + 1 + who) % LABELS.length] ?? '';
          const answer = who === 1 && assignment.suggestion !== null ? assignment.suggestion : own;
          const { assignment: answered } = await annotator.submit(assignment, answer);
          if (who === 1 && answered.suggestion !== null && answered.suggestion !== answer)
            await annotator.revise(assignment, answered.suggestion);
        }
        annotator.close();
      }
    }
    const { report, predictionRun } = await project.report();
    expect(predictionRun?.suggestionEffects).toMatchObject([
      { suggestions: 'SHOWN', without: { agreeing: 0 } },
      // Of two answers to each of 150 samples, one becomes what was revealed.
      {
        suggestions: 'AFTER_FIRST_ANSWER',
        without: { answers: 300, agreeing: 0 },
        with: { answers: 300, agreeing: 150 },
        difference: { value: 0.5 },
      },
    ]);
    expect(report?.suggestionEffects.map(({ suggestions }) => suggestions)).toEqual([
      'SHOWN',
      'AFTER_FIRST_ANSWER',
    ]);
    const advice = report?.advice.map(({ text }) => text).join();
    expect(advice).toContain('Suggestions sway people');
    expect(advice).toContain('Once they have seen the model');

    const { out } = await concord(OWNER, 'report', project.id);
    expect(JSON.parse(out).report.suggestionEffects).toEqual(report?.suggestionEffects);
    expect(JSON.parse(out).predictionRun.suggestionEffects).toEqual(predictionRun?.suggestionEffects);
    expect(await concord(OWNER, 'report', project.id, '--to', at('swayed.html'))).toMatchObject({ code: 0 });
    const page = await readFile(at('swayed.html'), 'utf8');
    const sway = page.slice(page.indexOf('How far suggestions sway people')).replace(/\u00a0/g, ' ');
    expect(sway).toMatch(/<td>shown<\/td><td>with the model<\/td><td>hidden: 0 % of /);
    expect(sway).toContain(
      '<td>after the first answer</td><td>with the model</td><td>first answer: 0 % of 300</td><td>last answer: 50 % of 300</td><td>50.0 points [',
    );
    expect(sway).toContain('<td>after the first answer</td><td>with each other</td>');
  });

  it.each([
    [['report'], 'name one project'],
    [['report', 'Nobody'], 'no project Nobody'],
    [['report', 'x', '--to', 'x.txt'], 'neither .html nor .json'],
  ])('says what is wrong with %j', async (args, message) => {
    const { code, errors } = await concord(OWNER, ...args);
    expect({ code, errors }).toMatchObject({ code: 1, errors: expect.stringContaining(message) });
  });
});
