import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectDriver, type Driver, type DriverProject } from '@concord/sdk/driver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runScript, type Service, startService } from './service.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const EXAMPLES = join(ROOT, 'sdk/examples');

describe('the examples of the SDK', () => {
  let plugins: string;
  let service: Service;
  let driver: Driver;
  let project: DriverProject;
  let env: Record<string, string>;

  beforeAll(async () => {
    // The strategy's example is installed as its comment says: dropped into the plugins folder. Plugins find
    // their packages from where they are.
    plugins = await mkdtemp(join(ROOT, 'tmp-plugins-'));
    await copyFile(join(EXAMPLES, 'strategy.ts'), join(plugins, 'confidence-ratio.ts'));
    service = await startService({ plugins });
    driver = connectDriver({ url: service.url, token: service.ownerToken });
    // One person labels here: nobody would give a second opinion.
    const policy = { overlapShare: 0 };
    project = await driver.createProject({ name: 'messages', labels: ['ham', 'spam'], policy });
    env = { CONCORD_URL: service.url, CONCORD_TOKEN: service.ownerToken, CONCORD_PROJECT: project.id };
  });

  afterAll(async () => {
    driver?.close();
    await service?.stop();
    await rm(plugins, { recursive: true, force: true });
  });

  it('are short', async () => {
    for (const file of await readdir(EXAMPLES)) {
      const text = await readFile(join(EXAMPLES, file), 'utf8');
      expect(text.split('\n').length, file).toBeLessThan(42);
    }
  });

  it('driver and annotator label a round together', async () => {
    const { token } = await project.addMember({ name: 'ada', role: 'ANNOTATOR' });
    const trainer = runScript(join(ROOT, 'dist/sdk/examples/driver.js'), env);
    for (let i = 0; i < 60; i++) {
      trainer.write(i % 3 === 0 ? `BUY ${i} NOW!!! Really cheap\n` : `See you at ${i}, Anna\n`);
    }
    const imported = trainer.done();
    await trainer.until(/round 1: 0 of \d+ settled/);

    const person = runScript(join(ROOT, 'dist/sdk/examples/annotator.js'), { ...env, CONCORD_TOKEN: token });
    const question = /or nothing to skip: /;
    await person.until(question);
    person.write('eggs\n');
    await person.until(/There is no 'eggs'/);
    const isAsked = () =>
      person.until(question).then(
        () => true,
        () => false,
      );
    while (await isAsked()) person.write('spam\n');
    const said = await person.done();
    expect(said).toMatch(/Your answers: \d+\. Thank you\./);
    const heard = await imported;
    expect(heard).toMatch(/\d+ of 60 are clear enough/);
    expect(heard).toMatch(/message-\d+ spam CONSENSUS/);
  });

  it('client reads refusals, a state and a feed', async () => {
    const run = () => runScript(join(ROOT, 'dist/sdk/examples/client.js'), env).done();
    const heard = await run();
    expect(heard).toContain('Opened round 2 with 5 samples.');
    expect(heard).toContain('FEWER_THAN_TWO_ANNOTATORS');
    expect(heard).toMatch(/^0 (HIGH|MEDIUM) \{"text":/m);
    expect(await run()).toContain('Round 2 is open already.');
  });

  it('strategy chooses a round', async () => {
    const open = await driver.client.currentRound({ project: project.id });
    if (open !== null) await project.closeRound(open);
    const round = await project.openRound({ size: 5, strategy: 'confidence-ratio' });
    expect(round).toMatchObject({ strategy: 'confidence-ratio', size: 5 });
  });
});
