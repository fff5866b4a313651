import { FORMATS, type Format } from '@concord/sdk/formats';
import { CommandError } from './command.ts';

/**
 * The format that was named, or that the end of a file's name tells.
 * @throws {CommandError} neither does
 */
export function formatOf(named: string, file: string): Format {
  const known = Object.keys(FORMATS) as Format[];
  if (named !== '') {
    const format = known.find((name) => name === named);
    if (format === undefined) throw new CommandError(`there is no format ${named}, only ${known.join(', ')}`);
    return format;
  }
  const told = known.find((name) => FORMATS[name].extensions.some((end) => file.toLowerCase().endsWith(end)));
  if (told === undefined) {
    throw new CommandError(
      `the name of ${file} does not tell its format; say --format, one of ${known.join(', ')}`,
    );
  }
  return told;
}
