import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Command, ConfigError, helpOf, runCommand } from '../../src/http/command.ts';
import { COMMANDS } from '../../src/http/commands.ts';
import { HELP } from '../../src/http/config.ts';

describe('a sub-command', () => {
  const run = vi.fn(async () => true);
  const command: Command = {
    summary: 'greet',
    about: 'Greets.',
    options: {
      whom: { placeholder: 'NAME', help: 'who is greeted' },
      how: { placeholder: 'WORD', help: 'how', env: 'CONCORD_HOW', fallback: 'Hello' },
    },
    rest: '[MORE…]',
    run,
  };
  const call = (args: readonly string[], env: Record<string, string> = {}) =>
    runCommand('greet', command, args, env);

  beforeEach(() => vi.clearAllMocks());
  afterEach(() => vi.restoreAllMocks());

  it('is given its options, from flags, variables and defaults, and what follows', async () => {
    expect(await call(['--whom', 'Ada', 'x', 'y'])).toBe(0);
    expect(await call(['--whom=Ada'], { CONCORD_HOW: 'Hi' })).toBe(0);
    expect(await call(['--whom', 'Ada', '--how', 'Hey'], { CONCORD_HOW: 'Hi' })).toBe(0);
    expect(run.mock.calls).toEqual([
      [{ whom: 'Ada', how: 'Hello' }, ['x', 'y']],
      [{ whom: 'Ada', how: 'Hi' }, []],
      [{ whom: 'Ada', how: 'Hey' }, []],
    ]);
  });

  it('ends with 1 when all is not well', async () => {
    run.mockResolvedValueOnce(false);
    expect(await call(['--whom', 'Ada'])).toBe(1);
  });

  it.each([[[]], [['--whom', '']], [['--whom', 'Ada', '--nothing']], [['--whom']]])(
    'refuses %j, and says where help is',
    async (args) => {
      await expect(call(args)).rejects.toThrow(ConfigError);
      await expect(call(args)).rejects.toThrow('concord greet --help');
      expect(run).not.toHaveBeenCalled();
    },
  );

  it('takes nothing after its options unless it says so', async () => {
    await expect(runCommand('greet', { ...command, rest: null }, ['--whom', 'Ada', 'x'], {})).rejects.toThrow(
      ConfigError,
    );
  });

  it('explains itself', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(await call(['--help'])).toBe(0);
    expect(write.mock.calls).toEqual([[helpOf('greet', command)]]);
    expect(run).not.toHaveBeenCalled();
    expect(helpOf('greet', command)).toMatch(/^Usage: concord greet --whom NAME \[--how WORD\] \[MORE…\]\n/);
  });

  it.each([...COMMANDS])('%s has help that fits, and is in the list', (name, { summary }) => {
    const help = helpOf(name, COMMANDS.get(name) as Command);
    for (const line of help.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
    expect(HELP).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
  });
});
