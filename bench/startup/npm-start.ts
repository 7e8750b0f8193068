/** `npm start` when everything is set up already: from the command to the ready line, and to the answers of its first jobs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type Figure, figure, type RunSettings } from '../harness/benchmark.ts'
import { measureSeries, pick, plan } from '../harness/rounds.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const startMsMax = 120_000

export interface NpmStart {
  readonly readyMs: number
  /** Until the addresses are printed, which follow the answers of the first jobs. */
  readonly greetedMs: number
}

export async function measureNpmStart(settings: RunSettings): Promise<readonly Figure[]> {
  await startOnce(root) // the first one may set something up
  const starts = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 3 }), async () => {
    const start = await settings.quiet.round(() => startOnce(root))
    settings.say(
      `npm start: ready after ${Math.round(start.readyMs)} ms, first jobs done after ${Math.round(start.greetedMs)} ms`,
    )
    return start
  })
  return [
    figure(
      {
        id: 'startup.npm.ready',
        what: '`npm start`, all set up: command to ready line',
        unit: 'ms',
        better: 'lower',
        goal: { atMost: 3000 },
      },
      pick(starts, ({ readyMs }) => readyMs),
    ),
    figure(
      {
        id: 'startup.npm.greeted',
        what: '`npm start`, all set up: command to the answers of the first jobs',
        unit: 'ms',
        better: 'lower',
      },
      pick(starts, ({ greetedMs }) => greetedMs),
    ),
  ]
}

/** Runs `npm start` in `folder` on a new data folder until it has greeted, then stops it as Ctrl-C would. */
export async function startOnce(folder: string, msMax = startMsMax): Promise<NpmStart> {
  const dataDir = await mkdtemp(join(tmpdir(), 'hearth-bench-data-'))
  const startedAt = performance.now()
  // On all cores, and in a process group of its own, which is what a terminal signals.
  const child = spawn('taskset', ['-c', allCores(), 'npm', 'start'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HEARTH_PORT: '0', HEARTH_DATA_DIR: dataDir },
  })
  const signalGroup = (signal: NodeJS.Signals) => process.kill(-(child.pid as number), signal)
  const killAtExit = () => signalGroup('SIGKILL')
  process.once('exit', killAtExit)
  const ended = once(child, 'exit')
  const said: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text))
  try {
    let readyMs = Number.NaN
    for await (const line of createInterface({ input: child.stdout, signal: AbortSignal.timeout(msMax) })) {
      said.push(line)
      if (line.startsWith('Hearth is ready: ')) readyMs = performance.now() - startedAt
      if (/^\s+GraphiQL\s+http/.test(line)) {
        const greetedMs = performance.now() - startedAt
        signalGroup('SIGINT')
        await ended
        return { readyMs, greetedMs }
      }
    }
    throw new Error(`npm start ended before it had greeted:\n${said.slice(-20).join('\n')}`)
  } finally {
    process.off('exit', killAtExit)
    if (child.exitCode === null && child.signalCode === null) killAtExit()
    await rm(dataDir, { recursive: true, force: true })
  }
}

function allCores(): string {
  return '0-255' // taskset leaves out the ones that are not there
}
