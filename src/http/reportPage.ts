import type {
  AgreementFigure,
  AgreementPair,
  AnnotatorWork,
  ClassPair,
  ProjectReport,
  Report,
  SuggestionEffect,
  UndefinedFigure,
} from '@concord/sdk/driver';
import { type Html, html } from './html.ts';
import { plotted } from './reportPlot.ts';

/** The report of a project as one page that needs nothing else: no script, no picture, no font from elsewhere. */

type Result = AgreementFigure | UndefinedFigure;

/** Below so many, a figure is held back. */
const FEWEST = 30;

/** @param at when it was asked for */
export function reportPage(project: ProjectReport, report: Report, at: Date): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${project.name}: report</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${project.name}</h1>
<p class="muted">As of ${time(at)}, after commit ${report.seq}. Bars and brackets are intervals of 95 %. Figures that rest on fewer than ${FEWEST} answers or samples are held back.</p>
${nextSteps(report)}
${cost(report)}
${curve(report)}
${agreement(project, report)}
${mixedUp(project, report)}
${people(report)}
${audit(project)}
${againstModel(project)}
${sway(project)}
${gold(report)}
</body>
</html>
`;
  return page.html;
}

function gold({ attention: { samples, answers, correct, accuracy, checked, paused } }: Report): Html {
  const figure =
    accuracy === null
      ? html`<p>${count(answers)} first answers to gold by ${count(checked)} people: too few for a figure, ${FEWEST} are the least.</p>`
      : html`<p>${count(correct)} of ${count(answers)} first answers by ${count(checked)} people are right: ${percent(accuracy.value)}, from ${percent(accuracy.interval.lower)} to ${percent(accuracy.interval.upper)}.</p>`;
  if (samples === 0 && answers === 0)
    return html`<h2>Gold</h2><p>No sample has a known answer, so nobody's attention is checked.</p>`;
  return html`<h2>Gold</h2>
<p>${count(samples)} samples have a known answer, and are mixed into the work of each annotator once, to see whether attention holds.</p>
${figure}
${paused === 0 ? html`` : html`<p>${paused === 1 ? 'One person is paused, who is' : `${count(paused)} people are paused, who are`} right less often than the policy asks for.</p>`}`;
}

const STYLE: Html = {
  html: `
body{font:16px/1.5 system-ui,sans-serif;color:#1f2328;background:#fff;max-width:820px;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}h2{margin:2.2rem 0 .5rem;border-bottom:1px solid #d1d9e0;padding-bottom:.2rem;font-size:1.25rem}
.muted,.tick{color:#59636e;fill:#59636e}.tick{font-size:12px}
table{display:block;max-width:100%;overflow-x:auto;border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}
td,th{padding:.25rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid #e5e8eb;vertical-align:top}
th{font-weight:600}td:first-child,th:first-child{text-align:left;padding-left:0}
.people{font-size:.875rem}.people td:first-child{white-space:normal;min-width:6rem}.people th,.people td:last-child{white-space:normal}td small{display:block;color:#59636e;font-size:.7rem}
.numbers{display:flex;flex-wrap:wrap;gap:.4rem 2.2rem;margin:.5rem 0;padding:0}
.numbers div{display:flex;flex-direction:column-reverse}.numbers dt{color:#59636e;font-size:.85rem}.numbers dd{margin:0;font-size:1.5rem;font-weight:600}
ul.advice{list-style:none;padding:0}ul.advice li{border-left:5px solid;padding:.3rem .8rem;margin:.5rem 0;background:#f6f8fa}
.ACT{border-color:#c62828!important}.IMPROVE{border-color:#c77700!important}.KNOW{border-color:#2f7d4f!important}
.advice b{display:block;font-size:.8rem;color:#59636e}
.plot{overflow-x:auto}svg{display:block;width:100%;min-width:560px;height:auto}h1,li,p{overflow-wrap:anywhere}.grid{stroke:#e5e8eb}.mark{stroke:#8b949e;stroke-dasharray:4 4}
.line{stroke:#0b5cad;fill:none;stroke-width:2}.interval{stroke:#0b5cad;stroke-opacity:.45;stroke-width:2}circle{fill:#0b5cad}
`,
};

const URGENCY = { ACT: 'Do this now', IMPROVE: 'Could be better', KNOW: 'Good to know' } as const;

function nextSteps({ advice }: Report): Html {
  return html`<h2>What to do next</h2>
${advice.length === 0 ? html`<p>Nothing stands out. Go on.</p>` : html`<ul class="advice">${advice.map(({ urgency, text }) => html`<li class="${urgency}"><b>${URGENCY[urgency]}</b>${text}</li>`)}</ul>`}`;
}

function cost({ cost: spent }: Report): Html {
  const {
    samples,
    labelled,
    autoAccepted,
    unanswerable,
    answers,
    measured,
    hours,
    hoursAtWork,
    medianSeconds,
  } = spent;
  const numbers: readonly (readonly [string, string])[] = [
    ['samples', count(samples)],
    ['labelled by people', `${count(labelled)} (${share(labelled, samples)})`],
    ['left to the model', `${count(autoAccepted)} (${share(autoAccepted, samples)})`],
    ['given up', count(unanswerable)],
    ['answers', count(answers)],
    ['at work', duration(hoursAtWork)],
    ['of answering, as measured', hours === null ? '–' : duration(hours)],
    ['an answer, in the middle', medianSeconds === null ? '–' : `${medianSeconds.toFixed(1)}\u00a0s`],
  ];
  return html`<h2>Cost so far</h2>
<dl class="numbers">${numbers.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
${measured < answers && html`<p class="muted">The time of ${count(measured)} of ${count(answers)} answers was measured; those alone are counted.</p>`}`;
}

function curve({ learningCurve }: Report): Html {
  const points = learningCurve.flatMap(({ run, model, answers, heldOut, accuracy }) =>
    accuracy === null
      ? []
      : [
          {
            x: answers,
            y: accuracy.value,
            ...accuracy.interval,
            title: `run ${run}, ${model}: ${percent(accuracy.value)} of ${heldOut}`,
          },
        ],
  );
  const held = learningCurve.filter(({ accuracy }) => accuracy === null);
  return html`<h2>Learning curve</h2>
<p>How often each model said what people then said, on samples drawn at random whose prediction nobody saw.</p>
${
  points.length === 0
    ? html`<p><b>Not known yet.</b> ${learningCurve.length === 0 ? 'No predictions have been published.' : ''}</p>`
    : plotted({
        label: 'Share of held-out answers that each model predicted, by answers given before it',
        points,
        xLabel: 'answers given before the model was published',
        xText: count,
        yText: percent,
        yRange: [0, 1],
      })
}
${held.length > 0 && html`<p class="muted">Held back, with fewer than ${FEWEST} such answers: ${held.map(({ run, model, heldOut }) => `run ${run} (${model}, ${heldOut})`).join(', ')}.</p>`}`;
}

function agreement({ agreement: now }: ProjectReport, { agreementTrend }: Report): Html {
  const points = agreementTrend.flatMap(({ until, alpha }) =>
    alpha.__typename !== 'AgreementFigure' || alpha.interval === null
      ? []
      : [
          {
            x: Date.parse(until),
            y: alpha.value,
            ...alpha.interval,
            title: `until ${time(new Date(until))}: ${alpha.value.toFixed(2)}, ${alpha.n} samples`,
          },
        ],
  );
  return html`<h2>Agreement between people</h2>
<table><tr><th>figure</th><th>value</th><th>samples</th><th></th></tr>
${(
  [
    ["Krippendorff's alpha", now.alpha],
    ['raw agreement', now.raw],
    ["Gwet's AC1", now.gwetAC1],
  ] as const
).map(([name, result]) => html`<tr><td>${name}</td>${figureCells(result)}</tr>`)}</table>
<h3>Over time</h3>
${
  points.length < 2
    ? html`<p><b>Not known yet.</b> It takes twice ${FEWEST} samples that several people have labelled and that no strategy has picked.</p>`
    : plotted({
        label: "Krippendorff's alpha over time",
        points,
        xLabel: 'when the samples had their second answer',
        xText: isOfADay(points) ? (x) => isoTime(x).slice(11, 16) : (x) => isoTime(x).slice(0, 10),
        yText: (y) => y.toFixed(2),
        yRange: [0, 1],
        marks: [
          { y: 0.8, text: 'excellent' },
          { y: 0.6, text: 'good' },
        ],
      })
}`;
}

/** Then days do not tell the points apart. */
function isOfADay(points: readonly { readonly x: number }[]): boolean {
  return (points.at(-1)?.x ?? 0) - (points[0]?.x ?? 0) < 86_400_000;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}

function figureCells(result: Result): Html {
  if (result.__typename !== 'AgreementFigure')
    return html`<td>–</td><td>${result.n}</td><td>${REASONS[result.reason]}</td>`;
  const { value, interval, n, band } = result;
  if (n < FEWEST) return html`<td>held back</td><td>${n}</td><td>fewer than ${FEWEST} samples</td>`;
  const range = interval === null ? '' : ` [${interval.lower.toFixed(2)}, ${interval.upper.toFixed(2)}]`;
  return html`<td>${value.toFixed(2)}${range}</td><td>${n}</td><td>${band === null ? '' : BANDS[band]}</td>`;
}

const REASONS: Readonly<Record<UndefinedFigure['reason'], string>> = {
  FEWER_THAN_TWO_ANNOTATORS: 'fewer than two people have labelled',
  NO_JOINTLY_LABELLED_SAMPLE: 'nobody has labelled what another has',
  CHANCE_AGREEMENT_IS_ONE: 'all labels are of one class',
  LABELS_HAVE_NO_ORDER: 'the classes have no order',
  LABELS_HAVE_NO_DISTANCES: 'the classes are no numbers',
};

const BANDS: Readonly<Record<NonNullable<AgreementFigure['band']>, string>> = {
  EXCELLENT: 'excellent',
  GOOD: 'good',
  NEEDS_IMPROVEMENT: 'needs improvement',
  UNACCEPTABLE: 'unacceptable',
  TOO_FEW: 'too few',
};

/** So many classes fit beside each other on a page. */
const MATRIX_CLASSES = 8;
const MOST_ROWS = 10;

function mixedUp({ labels, agreement: { pairs } }: ProjectReport, { classPairs }: Report): Html {
  const total = classPairs.reduce((sum, pair) => sum + pair.count, 0);
  const worst = pairs
    .flatMap((pair) => (isKnown(pair.kappa) ? [{ pair, kappa: pair.kappa }] : []))
    .sort((one, other) => one.kappa.value - other.kappa.value)
    .slice(0, MOST_ROWS);
  return html`<h2>What people mix up</h2>
${
  total < FEWEST
    ? html`<p><b>Held back.</b> Two people have answered the same sample ${total} times; it takes ${FEWEST}.</p>`
    : html`<p>How often one person said one class and another the other, of ${count(total)} times that two answered the same sample.</p>
${labels.length <= MATRIX_CLASSES ? matrix(labels, classPairs) : list(classPairs)}`
}
<h3>Pairs of people who agree least</h3>
${
  worst.length === 0
    ? html`<p><b>Held back.</b> No two people have ${FEWEST} samples in common.</p>`
    : html`<table><tr><th>who</th><th>Cohen's kappa</th><th>samples</th><th></th></tr>${worst.map(({ pair, kappa }) => html`<tr><td>${namesOf(pair)}</td>${figureCells(kappa)}</tr>`)}</table>`
}`;
}

function isKnown(result: Result): result is AgreementFigure {
  return result.__typename === 'AgreementFigure' && result.n >= FEWEST;
}

function namesOf({ members }: Pick<AgreementPair, 'members'>): string {
  return members.map(({ name, id }) => name ?? id).join(' and ');
}

function matrix(labels: readonly string[], pairs: readonly ClassPair[]): Html {
  const most = Math.max(...pairs.map((pair) => pair.count));
  const cell = (row: string, column: string) => {
    const pair = pairs.find(
      ({ first, second }) => (first === row && second === column) || (first === column && second === row),
    );
    const times = pair?.count ?? 0;
    const colour = row === column ? '47,125,79' : '198,40,40';
    return html`<td style="background:rgba(${colour},${((0.55 * times) / most).toFixed(3)})">${count(times)}</td>`;
  };
  return html`<table><tr><th></th>${labels.map((label) => html`<th>${label}</th>`)}</tr>
${labels.map((row, i) => html`<tr><th>${row}</th>${labels.map((column, j) => (j <= i ? cell(row, column) : html`<td></td>`))}</tr>`)}</table>`;
}

function list(pairs: readonly ClassPair[]): Html {
  const worst = pairs.filter(({ first, second }) => first !== second).slice(0, MOST_ROWS);
  return html`<table><tr><th>one said</th><th>the other</th><th>times</th></tr>${worst.map(({ first, second, count: times }) => html`<tr><td>${first}</td><td>${second}</td><td>${count(times)}</td></tr>`)}</table>`;
}

function people({ people: all }: Report): Html {
  if (all === null)
    return html`<h2>People</h2><p>Figures of each person are for the project's owners and drivers.</p>`;
  const columns = [
    'who',
    'answers',
    'an hour',
    'seconds',
    'with others',
    'the same again',
    'hasty',
    'skipped',
    'drift',
  ];
  return html`<h2>People</h2>
${
  all.length === 0
    ? html`<p>Nobody has answered yet.</p>`
    : html`<table class="people"><tr>${columns.map((name) => html`<th>${name}</th>`)}</tr>${all.map(person)}</table>
<p class="muted">“An hour”: answers an hour at work. “Seconds”: the middle one of the times that were measured. “With others”: how often somebody's answer is what the sample is without it, as it was ruled or as most others say. “The same again”: how often they said the same when they were asked again. “Hasty”: of the suggestions that they accepted, those that took less than about a third of their usual time. “Drift”: whether agreement with the others has changed; of somebody who never changes that is ever said with a chance of 1 %. A dash: held back, for it rests on fewer than ${FEWEST}.</p>`
}`;
}

type Share = AnnotatorWork['withConsensus'];

function person(work: AnnotatorWork): Html {
  const { member, answers, throughput, secondsPerAnswer } = work;
  const hour = throughput.__typename === 'ThroughputFigure' ? count(Math.round(throughput.perHour)) : '–';
  const seconds =
    secondsPerAnswer.__typename === 'AnswerTimeFigure' ? secondsPerAnswer.median.toFixed(1) : '–';
  return html`<tr><td>${member.name ?? member.id}</td><td>${count(answers)}</td><td>${hour}</td><td>${seconds}</td>${[work.withConsensus, work.consistency, work.rubberStamped, work.skipRate].map(shareCell)}<td>${drift(work.drift)}</td></tr>`;
}

/** The interval below, smaller: many shares stand beside each other. */
function shareCell(figure: Share): Html {
  if (figure.__typename !== 'ShareFigure') return html`<td>–</td>`;
  const { value, interval } = figure;
  return html`<td>${percent(value)}<small>${whole(interval.lower)}–${whole(interval.upper)}</small></td>`;
}

const DRIFTS = { NO_CHANGE_SHOWN: 'none shown', WORSE: 'worse', BETTER: 'better' } as const;

function drift(figure: AnnotatorWork['drift']): string {
  if (figure.__typename !== 'DriftFigure') return '–';
  const { verdict, since, before, after } = figure;
  if (verdict === 'NO_CHANGE_SHOWN') return DRIFTS[verdict];
  const from = share(before.agreeing, before.answers);
  return `${DRIFTS[verdict]}: ${from} to ${share(after.agreeing, after.answers)} about ${since.slice(0, 10)}`;
}

const AUTO_ACCEPT = {
  PROVEN: 'proven: its error rate is below the limit',
  PROVISIONAL: 'provisional: the audits have not decided yet',
  SUSPENDED: 'suspended: its error rate is above the limit, and people label those samples',
} as const;

function audit({ predictionRun: run }: ProjectReport): Html {
  if (run === null) return html`<h2>Audit</h2><p>No predictions have been published.</p>`;
  if (run.accepted === 0)
    return html`<h2>Audit</h2><p>The current model (run ${run.number}, ${run.model}) labels nothing by itself.</p>`;
  const { lower, upper } = run.errorBounds;
  return html`<h2>Audit</h2>
<p>The model's own labels (run ${run.number}, ${run.model}) are <b>${AUTO_ACCEPT[run.autoAccept]}</b>. It had accepted ${count(run.accepted)} samples; the limit is ${percent(run.errorLimit)} wrong.</p>
<p>${run.audited === 0 ? `None of ${count(run.audits)} audits is answered yet.` : `${count(run.audited)} of ${count(run.audits)} audits are answered, and ${count(run.errors)} found an error. The true error rate lies between ${percent(lower)} and ${percent(upper)}, however often one looks.`}</p>
${run.classAudits.length > 0 && html`<table><tr><th>predicted</th><th>accepted</th><th>audited</th><th>errors</th><th>error rate</th></tr>${run.classAudits.map(({ label, accepted, audited, errors, errorInterval }) => html`<tr><td>${label}</td><td>${count(accepted)}</td><td>${audited}</td><td>${errors}</td><td>${errorInterval === null || audited < FEWEST ? 'held back' : `${share(errors, audited)} [${percent(errorInterval.lower)}, ${percent(errorInterval.upper)}]`}</td></tr>`)}</table><p class="muted">Of a class more may be audited than its share of all: what is drawn so that each class has enough tells of that class alone.</p>`}`;
}

const DRAWS: Readonly<Record<string, string>> = {
  UNCERTAIN: 'chosen by a strategy',
  RANDOM: 'drawn at random',
  POOL: 'in the order of import',
  AUDIT: 'an audit',
  EXTRA_OPINION: 'an extra opinion',
  REPEAT: 'asked again',
};

const OFFERED: Readonly<Record<string, string>> = {
  SHOWN: 'shown',
  AFTER_FIRST_ANSWER: 'shown after the answer',
};

function againstModel({ predictionRun: run }: ProjectReport): Html | null {
  if (run === null || run.peopleAgreement.length === 0) return null;
  return html`<h2>People and the current model</h2>
<p>How often people said what the model had predicted, by why they were asked, and by whether they saw it.</p>
<table><tr><th>why it was asked</th><th>prediction</th><th>answers</th><th>the same</th></tr>${run.peopleAgreement.map(({ draw, suggestions, suggestionOffered, answers, agreeing }) => html`<tr><td>${DRAWS[draw] ?? draw}</td><td>${suggestionOffered ? OFFERED[suggestions] : 'hidden'}</td><td>${answers}</td><td>${answers < FEWEST ? 'held back' : share(agreeing, answers)}</td></tr>`)}</table>`;
}

const SHOWN = {
  SHOWN: ['shown', 'hidden', 'shown'],
  AFTER_FIRST_ANSWER: ['after the first answer', 'first answer', 'last answer'],
} as const;

function sway({ predictionRun, report }: ProjectReport): Html | null {
  const rows = [
    ...(predictionRun?.suggestionEffects ?? []).map((effect) => ({ of: 'with the model', effect })),
    ...(report?.suggestionEffects ?? []).map((effect) => ({ of: 'with each other', effect })),
  ];
  if (rows.length === 0) return null;
  return html`<h2>How far suggestions sway people</h2>
<p>How often people agree with the current model, and with each other, with a suggestion and without. Which work has none is drawn at random, so the difference is what suggestions do; after a first answer, it is what they change.</p>
<table><tr><th>suggestion</th><th>agreement</th><th>without</th><th>with</th><th>difference</th></tr>${rows.map(({ of, effect }) => swayRow(of, effect))}</table>`;
}

function swayRow(of: string, { suggestions, without, with: since, difference }: SuggestionEffect): Html {
  const [mode, before, after] = SHOWN[suggestions === 'SHOWN' ? 'SHOWN' : 'AFTER_FIRST_ANSWER'];
  const cell = (name: string, { answers, agreeing }: SuggestionEffect['with']) =>
    `${name}: ${answers < FEWEST ? `held back (${answers})` : `${share(agreeing, answers)} of ${count(answers)}`}`;
  const much =
    difference.__typename === 'ShareDifference'
      ? `${points(difference.value)} points [${points(difference.interval.lower)}, ${points(difference.interval.upper)}]`
      : 'held back';
  return html`<tr><td>${mode}</td><td>${of}</td><td>${cell(before, without)}</td><td>${cell(after, since)}</td><td>${much}</td></tr>`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}

/** Of what takes minutes, hours would all be 0.0. */
function duration(hours: number): string {
  return hours < 1
    ? `${Number((60 * hours).toPrecision(2))}\u00a0min`
    : `${count(Number(hours.toFixed(1)))}\u00a0h`;
}

function percent(value: number): string {
  // They stay together at the end of a line.
  return `${Number((100 * value).toFixed(1))}\u00a0%`;
}

/** A difference of two shares: “10 %” could be taken for a tenth of the smaller one. */
function points(difference: number): string {
  return (100 * difference).toFixed(1);
}

function whole(value: number): string {
  return (100 * value).toFixed(0);
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : percent(part / whole);
}

function time(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
