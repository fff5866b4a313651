import { describe, expect, it } from 'vitest';
import { thrown } from '../../src/strategies/text.ts';

describe('what a plugin throws, as people read it', () => {
  it.each([
    ['first\nsecond', 'Error: first'],
    ['first\rsecond', 'Error: first'],
    ['first\u2028second', 'Error: first'],
    ['\u001b[31mred\u0007', 'Error:  [31mred '],
  ])('is one line without control characters: %j', (message, line) => {
    expect(thrown(new Error(message))).toBe(line);
  });

  it('says what to do where a file is looked for beside the plugin, and leaves other addresses alone', () => {
    const thrownBy = (base: string) => {
      try {
        return new URL('./x.wasm', base).href;
      } catch (error) {
        return thrown(error);
      }
    };
    expect(thrownBy('data:text/javascript;base64,AAAA')).toMatch(/import \.\/x\.wasm instead/);
    expect(thrownBy('nowhere')).toBe('TypeError: Invalid URL');
  });
});
