import {
  AlreadyAnsweredError,
  type Annotator,
  type AnnotatorOptions,
  type Assignment,
  connectAnnotator,
  createClient,
  ForbiddenError,
  NotFoundError,
  UnknownLabelError,
} from '@concord/sdk/annotator';
import { connectDriver, type Driver, type DriverProject, type PolicyInput } from '@concord/sdk/driver';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Service, startService } from './service.ts';

describe('annotators on the real service', () => {
  let service: Service;
  let driver: Driver;

  beforeAll(async () => {
    service = await startService();
    driver = connectDriver({ url: service.url, token: service.ownerToken });
  });

  afterAll(async () => {
    driver?.close();
    await service?.stop();
  });

  async function newProject(samples: number, policy: PolicyInput = {}): Promise<DriverProject> {
    const project = await driver.createProject({
      name: 'numbers',
      labels: ['even', 'odd'],
      policy: { overlapShare: 0, ...policy },
    });
    await project.importSamples(Array.from({ length: samples }, (_, n) => ({ key: `n${n}`, data: n })));
    return project;
  }

  async function join(
    project: DriverProject,
    hold = 1,
    options: Partial<AnnotatorOptions> = {},
  ): Promise<Annotator> {
    const { token } = await project.addMember({ name: 'somebody', role: 'ANNOTATOR' });
    const annotator = await connectAnnotator({
      url: service.url,
      token,
      project: project.id,
      hold,
      ...options,
    });
    onTestFinished(() => annotator.close());
    return annotator;
  }

  const truth = ({ data }: Assignment) => (Number(data) % 2 === 0 ? 'even' : 'odd');

  it('share a round, give nothing out twice, and wake up for the next', async () => {
    const project = await newProject(200);
    const team = await Promise.all([1, 3, 5].map((hold) => join(project, hold)));
    const given: string[] = [];
    const working = team.map(async (annotator) => {
      for await (const assignment of annotator) {
        given.push(assignment.id);
        await annotator.submit(assignment, truth(assignment));
      }
    });
    for (let number = 1; number <= 4; number++) {
      const round = await project.openRound({ size: 50, strategy: 'random' });
      expect(await project.waitForRound(round)).toMatchObject({ number, closeReason: 'SETTLED' });
    }
    expect(given).toHaveLength(200);
    expect(new Set(given).size).toBe(200);
    for (const annotator of team) annotator.close();
    await Promise.all(working);
    let examples = 0;
    for await (const { sample, label } of project.trainingSet()) {
      expect(label).toBe(Number(sample.data) % 2 === 0 ? 'even' : 'odd');
      examples++;
    }
    expect(examples).toBe(200);
  });

  it('are estimated to err as they do', async () => {
    const project = await newProject(12, { overlap: 2, overlapShare: 1, consensus: 'DAWID_SKENE' });
    const [ada, ben, cy] = await Promise.all([join(project), join(project), join(project)]);
    await project.openRound({ size: 12, strategy: 'random', seed: 7 });
    // Ada and Ben are right, and Cy says even to everything; in turn, so that each meets each.
    const queues = [ada, ben, cy].map((annotator) => ({ annotator, queue: annotator.assignments() }));
    for (let i = 0; i < 24; i++) {
      const { annotator, queue } = queues[i % 3] as (typeof queues)[number];
      const { value, done } = await queue.next();
      if (done) break;
      await annotator.submit(value, annotator === cy ? 'even' : truth(value));
    }
    expect(await project.consensusEstimate()).toMatchObject({ answers: 24, samples: 12, converged: true });
    const accuracies: number[] = [];
    for await (const { accuracy } of project.annotatorErrors()) accuracies.push(accuracy);
    expect(accuracies).toHaveLength(3);
    expect(Math.min(...accuracies.slice(0, 2))).toBeGreaterThan((accuracies[2] ?? 1) + 0.2);
    for await (const { sample, label, confidence } of project.trainingSet()) {
      expect(label).toBe(Number(sample.data) % 2 === 0 ? 'even' : 'odd');
      expect(confidence).toBeGreaterThan(0.5);
    }
  });

  it('are told what the model says once they have answered, and may change their answer', async () => {
    const project = await newProject(2, {
      suggestions: 'AFTER_FIRST_ANSWER',
      hiddenShare: 0,
      autoAcceptThreshold: null,
    });
    // The model takes both for odd.
    await project.publishPredictions({
      model: 'wrong',
      keys: ['n0', 'n1'],
      probabilities: Float32Array.of(0.3, 0.7, 0.3, 0.7),
    });
    await project.openRound({ size: 2, strategy: 'random' });
    const annotator = await join(project);
    for await (const assignment of annotator.assignments({ endOn: ['DONE', 'NO_ROUND'] })) {
      expect(assignment.suggestion).toBeNull();
      const { assignment: answered, queue } = await annotator.submit(assignment, 'even');
      expect(answered).toMatchObject({ label: 'even', suggestion: 'odd' });
      expect(queue.revealed).toContainEqual({ id: assignment.id, label: 'even', suggestion: 'odd' });
      if (truth(assignment) === 'odd') await annotator.revise(assignment, 'odd');
    }
    const said: unknown[] = [];
    for await (const { samples } of project.exportPages()) {
      for (const { data, annotations } of samples)
        said.push([data, ...annotations.map((one) => [one.label, one.firstLabel, one.movedToSuggestion])]);
    }
    expect(said).toEqual([
      [0, ['even', 'even', false]],
      [1, ['odd', 'even', true]],
    ]);
    expect((await project.report()).predictionRun?.suggestionEffects).toMatchObject([
      {
        suggestions: 'AFTER_FIRST_ANSWER',
        without: { answers: 2, agreeing: 0 },
        with: { answers: 2, agreeing: 1 },
      },
    ]);
  });

  it('give out as many as are held to who does not wait for answers', async () => {
    const project = await newProject(4);
    const annotator = await join(project, 3);
    await project.openRound({ size: 4, strategy: 'random' });
    const queue = annotator.assignments();
    const first = await queue.next();
    await queue.next();
    await queue.next();
    const fourth = queue.next();
    const early = await Promise.race([fourth, new Promise((resolve) => setTimeout(resolve, 200, 'waits'))]);
    expect(early).toBe('waits');
    await annotator.submit(first.value as Assignment, 'even');
    expect((await fourth).value).toMatchObject({ state: 'HELD' });
  });

  it('measure the time, take the answer once, and refuse what is no label', async () => {
    const project = await newProject(1);
    const annotator = await join(project);
    await project.openRound({ size: 1, strategy: 'random' });
    const { value } = await annotator.assignments().next();
    const assignment = value as Assignment;
    const unknown = await annotator.submit(assignment, 'round').catch((error: unknown) => error);
    expect(unknown).toBeInstanceOf(UnknownLabelError);
    expect(unknown).toMatchObject({ label: 'round', known: ['even', 'odd'] });
    const submitted = await annotator.submit(assignment, 'even');
    expect(submitted.assignment).toMatchObject({ id: assignment.id, state: 'SUBMITTED', label: 'even' });
    expect(await annotator.submit(assignment, 'even')).toMatchObject({ assignment: { label: 'even' } });
    const other = await annotator.submit(assignment, 'odd').catch((error: unknown) => error);
    expect(other).toBeInstanceOf(AlreadyAnsweredError);
    expect(other).toMatchObject({ answer: 'even' });
  });

  it('get an undone sample and a released one again, and a skipped one never', async () => {
    const project = await newProject(3);
    const annotator = await join(project);
    await project.openRound({ size: 3, strategy: 'random' });
    const queue = annotator.assignments({ endOn: ['ALL_HAD_BY_YOU', 'DONE', 'NO_ROUND'] });
    const next = async () => (await queue.next()).value as Assignment;
    const first = await next();
    await annotator.submit(first, 'even');
    expect(await annotator.undo(first)).toMatchObject({ id: first.id, state: 'HELD', label: null });
    const second = await next();
    const third = await Promise.race([next(), new Promise((resolve) => setTimeout(resolve, 100, null))]);
    const held = [second, third as Assignment | null].filter((one) => one !== null);
    expect(held.map(({ id }) => id)).toContain(first.id);
    for (const assignment of held) {
      if (assignment.id === first.id) await annotator.skip(assignment, 'no number');
      else await annotator.release(assignment);
    }
    const rest: string[] = [];
    for await (const assignment of queue) {
      rest.push(assignment.id);
      await annotator.submit(assignment, truth(assignment));
    }
    expect(rest).not.toContain(first.id);
    expect(new Set(rest).size).toBe(2);
  });

  it('have a break when their session is over, and go on after it', async () => {
    const project = await newProject(10, { workSessionMinutes: 30, breakMinutes: 0.02 });
    const annotator = await join(project);
    await project.openRound({ size: 10, strategy: 'random' });
    const queue = annotator.assignments();
    const { value: first } = await queue.next();
    const over = await annotator.endWorkSession();
    expect(over.workSession?.until).toBeDefined();
    const submitted = await annotator.submit(first as Assignment, 'even');
    expect(submitted.queue.empty).toMatchObject({ reason: 'WORK_SESSION_OVER' });
    const until = Date.parse(submitted.queue.empty?.until ?? '');
    expect((await queue.next()).value).toMatchObject({ state: 'HELD' });
    expect(Date.now()).toBeGreaterThanOrEqual(until - 50);
  });

  it('wait for what others hold, and get it when its time has passed', async () => {
    const project = await newProject(1, { assignmentMinutes: 0.05 });
    const [ada, ben] = await Promise.all([join(project), join(project)]);
    await project.openRound({ size: 1, strategy: 'random' });
    const { value: held } = await ada.assignments().next();
    const waiting = ben.assignments().next();
    await expect.poll(() => ben.queue?.empty?.reason).toBe('ALL_HELD');
    const { value: freed } = await waiting;
    expect(freed?.data).toEqual(held?.data);
  });

  it('show their queue and the agreement live', async () => {
    const project = await newProject(20, { overlapShare: 1 });
    const [ada, ben] = await Promise.all([join(project), join(project)]);
    await project.openRound({ size: 20, strategy: 'random' });
    const answers = (async () => {
      let last = 0;
      for await (const queue of ada.watchQueue()) {
        expect(queue.answers).toBeGreaterThanOrEqual(last);
        last = queue.answers;
        if (last === 20) return last;
      }
      return last;
    })();
    const agreed = (async () => {
      for await (const { alpha } of ben.watchAgreement()) {
        if (alpha.__typename === 'AgreementFigure' && alpha.n === 20) return alpha;
      }
      return null;
    })();
    await Promise.all(
      [ada, ben].map(async (annotator) => {
        for await (const assignment of annotator.assignments({ endOn: ['NO_ROUND', 'ALL_HAD_BY_YOU'] })) {
          await annotator.submit(assignment, truth(assignment));
        }
      }),
    );
    expect(await answers).toBe(20);
    expect(await agreed).toMatchObject({ value: 1, band: 'TOO_FEW' });
  });

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'lose nothing and double nothing when the service is restarted by %s while they work, and miss nothing that is told',
    async (signal) => {
      const [samples, people] = [100, 6];
      const project = await newProject(samples, { overlap: 2, overlapShare: 1 });
      const team = await Promise.all(
        Array.from({ length: people }, (_, i) => join(project, 1 + (i % 4), { retry: { maxDelayMs: 100 } })),
      );
      const { token } = await project.addMember({ name: 'reader', role: 'ANNOTATOR' });
      const readers = [service.ownerToken, token, token].map((token) =>
        createClient({ url: service.url, token, retry: { maxDelayMs: 100 } }),
      );
      onTestFinished(() => {
        for (const reader of readers) reader.close();
      });
      const announced = readers.map(() => [] as string[]);
      /** The activity until the second round is closed. */
      const activity = async () => {
        const told: unknown[] = [];
        for await (const push of project.followActivity()) {
          if (push.__typename !== 'ActivityEvents') throw new Error(push.reason);
          told.push(...push.events);
          if (push.events.some((event) => event.__typename === 'RoundClosed' && event.round === 2)) break;
        }
        return told;
      };
      const followed = activity();
      const reading = readers.map(async (reader, i) => {
        for await (const push of reader.followPrioritized({ project: project.id })) {
          if (push.__typename !== 'PrioritizedSamples') throw new Error(push.reason);
          for (const { rank } of push.samples) announced[i]?.push(`${push.round}/${rank}`);
          if (announced[i]?.at(-1) === `2/${samples / 2 - 1}`) return;
        }
      });
      /** What was answered, by assignment. */
      const answers: string[] = [];
      let reached: () => void;
      const middle = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const working = team.map(async (annotator) => {
        for await (const assignment of annotator) {
          answers.push(`${assignment.id} ${truth(assignment)}`);
          if (answers.length === samples / 2) reached();
          // It is sent when it can be.
          void annotator.submit(assignment, truth(assignment));
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      });
      const first = await project.openRound({ size: samples / 2, strategy: 'random' });
      const closed = project.waitForRound(first).then(async () => {
        const second = await project.openRound({ size: samples / 2, strategy: 'random' });
        return project.waitForRound(second);
      });
      await middle;
      await service.restart(signal);
      expect(await closed).toMatchObject({ number: 2, closeReason: 'SETTLED' });
      await Promise.all(team.map((annotator) => annotator.allRecorded()));
      for (const annotator of team) annotator.close();
      await Promise.all(working);
      const recorded: string[] = [];
      for await (const page of project.exportPages()) {
        for (const { annotations } of page.samples)
          recorded.push(
            ...annotations.map(({ id, label, counted }) => `${id} ${label}${counted ? '' : '!'}`),
          );
      }
      expect(recorded).toHaveLength(2 * samples);
      expect(recorded.sort()).toEqual(answers.sort());
      expect(team.flatMap(({ outbox }) => [...outbox.waiting, ...outbox.refused])).toEqual([]);
      await Promise.all(reading);
      const ranks = [1, 2].flatMap((round) =>
        Array.from({ length: samples / 2 }, (_, rank) => `${round}/${rank}`),
      );
      for (const read of announced) expect(read).toEqual(ranks);
      expect(await followed).toEqual(await activity());
    },
  );

  it('take answers while the service is away, and send them in their order when it is there again', async () => {
    const project = await newProject(5);
    const sent: string[] = [];
    let isAway = false;
    const fetching: typeof fetch = async (url, init) => {
      const { operationName, variables } = JSON.parse(String(init?.body));
      if (operationName === 'Submit') sent.push(variables.input.assignment);
      if (isAway) throw new TypeError('fetch failed');
      return fetch(url, init);
    };
    const annotator = await join(project, 4, { fetch: fetching, retry: { maxDelayMs: 50 } });
    await project.openRound({ size: 5, strategy: 'random' });
    const queue = annotator.assignments();
    const [first, second, third] = [await queue.next(), await queue.next(), await queue.next()].map(
      ({ value }) => value as Assignment,
    ) as [Assignment, Assignment, Assignment];
    isAway = true;
    const answers = [first, second].map((assignment) => annotator.submit(assignment, truth(assignment)));
    void annotator.submit(third, 'odd');
    expect(annotator.outbox.waiting.map(({ assignment }) => assignment)).toEqual([
      first.id,
      second.id,
      third.id,
    ]);
    // What was not sent yet is taken back without the service.
    expect(await annotator.undo(third)).toMatchObject({ id: third.id, state: 'HELD' });
    await expect.poll(() => sent.length).toBeGreaterThan(3);
    expect(new Set(sent)).toEqual(new Set([first.id]));
    // What may have been recorded cannot be: whoever will not wait until that is known need not.
    const giveUp = AbortSignal.timeout(50);
    await expect(annotator.undo(first, { signal: giveUp })).rejects.toMatchObject({ name: 'TimeoutError' });
    isAway = false;
    expect(await Promise.all(answers)).toMatchObject([
      { assignment: { id: first.id, state: 'SUBMITTED' } },
      { assignment: { id: second.id, state: 'SUBMITTED' } },
    ]);
    await annotator.allRecorded();
    expect(annotator.outbox).toMatchObject({ waiting: [], refused: [] });
    expect(sent.at(-1)).toBe(second.id);
    expect((await queue.next()).value).toMatchObject({ id: third.id });
    expect(annotator.connection).toBe('OPEN');
  });

  it('are handed rounds to learn from, one after another, until nothing is left to choose', async () => {
    const project = await newProject(20);
    const annotator = await join(project, 5);
    const working = (async () => {
      for await (const assignment of annotator) void annotator.submit(assignment, truth(assignment));
    })();
    // One that is open already is taken up.
    await project.openRound({ size: 5, strategy: 'random' });
    const learned: number[] = [];
    for await (const round of project.rounds({ size: 8, strategy: 'random' })) {
      expect(round).toMatchObject({ number: learned.length + 1, closeReason: 'SETTLED' });
      let examples = 0;
      for await (const { label, sample } of round.trainingSet) {
        expect(label).toBe(Number(sample.data) % 2 === 0 ? 'even' : 'odd');
        examples++;
      }
      learned.push(examples);
    }
    expect(learned).toEqual([5, 13, 20]);
    annotator.close();
    await working;
  });

  it('must be annotators of the project', async () => {
    const project = await newProject(1);
    const options = { url: service.url, token: service.ownerToken };
    await expect(connectAnnotator({ ...options, project: project.id })).rejects.toBeInstanceOf(
      ForbiddenError,
    );
    await expect(connectAnnotator({ ...options, project: 'nonsense' })).rejects.toBeInstanceOf(NotFoundError);
  });
});
