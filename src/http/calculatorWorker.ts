/** The thread that works out one thing: an entry point for `node:worker_threads`. */
import { parentPort, workerData } from 'node:worker_threads';
import { tallyAnswers } from '../domain/answerTallies.ts';
import { dawidSkene } from '../domain/dawidSkene.ts';
import type { CalculatorRequest } from './calculatorThreads.ts';

if (parentPort === null) throw new Error('http/calculatorWorker is run in a worker thread');
const request: CalculatorRequest = workerData;
parentPort.postMessage(
  request.kind === 'fit' ? dawidSkene(request.answers, request.options) : tallyAnswers(request.answers),
);
