// Draws the dashboards of a demo fleet: `node demo.js COMMAND...`, where COMMAND starts `bioagents demo`.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { Prometheus } from './ask/prometheus.js';

const PREVIEW = fileURLToPath(new URL('preview.js', import.meta.url));

/** Two rounds of the demo's story: a burst, failures and a restart, twice. */
const PAST_SECONDS = 200;
/** Then a moment with something to see: alerts, jobs that wait, and workers. */
const SOMETHING_TO_SEE = [
  'count(ALERTS{alertstate="firing"}) > 2',
  'sum(bioagents_queue_depth{state="waiting"}) > 5',
  'count(bioagents_worker_info) > 2',
]
  .map((condition) => `(${condition})`)
  .join(' and ');
const ARGUMENTS = ['--range', `${PAST_SECONDS}s`, '--scrape-interval', '1s'];

async function main([program, ...args]) {
  const demo = spawn(program, [...args, '--web.listen-address', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(demo, 'close').then(() => {
    throw new Error('the demo has ended');
  });
  try {
    const url = await Promise.race([addressOf(demo), ended]);
    console.log(`a fleet runs, seen by ${url}; in ${PAST_SECONDS} seconds there is a past to look at`);
    await Promise.race([untilSomethingToSee(new Prometheus(url)), ended]);
    return await status(
      spawn(process.execPath, [PREVIEW, '--prometheus', url, ...ARGUMENTS], { stdio: 'inherit' }),
    );
  } finally {
    demo.kill();
    await ended.catch(() => {});
  }
}

/** The address of the Prometheus, from the lines that the demo begins with. */
async function addressOf(demo) {
  for await (const line of createInterface(demo.stdout)) {
    const [, address] = /^\s+Prometheus\s+(.+)$/.exec(line) ?? [];
    if (!address) continue;
    demo.stdout.resume(); // nothing reads the rest, and a full pipe would stop the demo
    if (URL.canParse(address)) return address;
    throw new Error(`the demo has no Prometheus: it is ${address}`);
  }
  return new Promise(() => {}); // the demo has ended, which is reported elsewhere
}

/** At most another two minutes: a picture of an idle fleet is better than none. */
async function untilSomethingToSee(prometheus) {
  await pause(PAST_SECONDS * 1000);
  for (let look = 0; look < 240; look += 1) {
    if ((await prometheus.instant(SOMETHING_TO_SEE, Date.now() / 1000)).length) return;
    await pause(500);
  }
}

async function status(child) {
  const [code] = await once(child, 'close');
  return code ?? 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`preview: ${error.message}`);
  process.exit(1); // without waiting for the pause
}
