/** A stream's values turned into others. It leaves the stream at once when its reader does. */
export function mapped<T, U>(
  stream: AsyncIterableIterator<T>,
  turn: (value: T) => U,
): AsyncIterableIterator<U> {
  const turned = ({ done, value }: IteratorResult<T>): IteratorResult<U> =>
    done ? { done: true, value: undefined } : { done: false, value: turn(value) };
  return {
    next: async () => turned(await stream.next()),
    return: async () => {
      await stream.return?.();
      return { done: true, value: undefined };
    },
    throw: async (error: unknown) => {
      await stream.return?.();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
