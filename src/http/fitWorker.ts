/** The thread that estimates consensus once: an entry point for `node:worker_threads`. */
import { parentPort, workerData } from 'node:worker_threads';
import { dawidSkene } from '../domain/dawidSkene.ts';
import type { FitRequest } from './fitThreads.ts';

if (parentPort === null) throw new Error('http/fitWorker is run in a worker thread');
const { answers, options }: FitRequest = workerData;
parentPort.postMessage(dawidSkene(answers, options));
