/**
 * What Hearth costs an embedding: 1, 8 and 32 clients with a text each, against the encoder alone in a loop at its best batch, in turn.
 * The encoder has one core to itself on both sides; everything that Hearth adds outside the worker runs on the other.
 */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { runJob } from './clients/jobs.ts'
import { type Benchmark, type Figure, figure, type Goal, type RunSettings } from './harness/benchmark.ts'
import { PythonLines } from './harness/python-lines.ts'
import { closedLoop, type LoopResult, measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { quantile } from './harness/statistics.ts'
import { embedPeers } from './peers.ts'

const model = 'all-minilm-l6-v2'
const bareEncoder = new URL('embed/engine.py', import.meta.url)
const engineCore = 1
const threads = 1
const roundMs = 5000
const bareMs = 3000
const searchMs = 1500
const batches = [1, 4, 8, 16, 32]
/** Thirty words of one token each, and the two that the tokeniser adds. */
const text = Array.from({ length: 30 }, () => 'water').join(' ')
const crowds: readonly { readonly clients: number; readonly goal: Goal | null }[] = [
  { clients: 1, goal: null },
  { clients: 8, goal: null },
  { clients: 32, goal: { atLeast: 0.92 } },
]

export const embed: Benchmark = {
  name: 'embed',
  about:
    'embedText of one text of 32 tokens, against the encoder alone at its best batch, with the same session options, in turn.',
  placement: 'encoder on core 1 with one thread, alone or as a worker of the server; server and generator on core 0',
  generatorCore: 0,
  peers: [embedPeers],
  run: measureEmbed,
}

interface Round {
  readonly bare: number
  readonly hearth: LoopResult
}

async function measureEmbed(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start({ workerCore: engineCore, profileDir: settings.profileDir })
  using encoder = await PythonLines.start({ script: bareEncoder, model, threads, cores: [engineCore] })
  const socket = await GraphQLSocket.open(server.url)
  const ask = async () => void (await runJob(socket, { model, task: { embedText: { texts: [text] } } }))
  await closedLoop(32, searchMs, ask) // loads the model
  const best = await bestBatch(encoder, settings)
  const measure = async (clients: number): Promise<Round> => {
    const round = await settings.quiet.round(async () => ({
      bare: await itemsPerSecond(encoder, best, bareMs),
      hearth: await closedLoop(clients, roundMs, ask),
    }))
    const { perSecond } = round.hearth
    settings.say(
      `${clients} clients: ${perSecond.toFixed(1)}/s, encoder alone ${round.bare.toFixed(1)}/s in batches of ${best}`,
    )
    return round
  }
  const figures: Figure[] = []
  for (const { clients, goal } of crowds) {
    const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 5 }), () => measure(clients))
    figures.push(...figuresOf(clients, goal, best, rounds))
  }
  socket.close()
  return figures
}

/** The smallest batch with the best rate: found once, before the rounds. */
async function bestBatch(encoder: PythonLines, settings: RunSettings): Promise<number> {
  let best = { batch: 1, rate: 0 }
  for (const batch of batches) {
    const rate = await settings.quiet.round(() => itemsPerSecond(encoder, batch, searchMs))
    settings.say(`encoder alone, batches of ${batch}: ${rate.toFixed(1)}/s`)
    if (rate > best.rate) best = { batch, rate }
  }
  return best.batch
}

/** Of the encoder alone: rows per second, `batch` of them in each run, for about `milliseconds`. */
async function itemsPerSecond(encoder: PythonLines, batch: number, milliseconds: number): Promise<number> {
  const answer = await encoder.ask({ batch, milliseconds })
  return (answer as { readonly itemsPerSecond: number }).itemsPerSecond
}

function figuresOf(clients: number, goal: Goal | null, best: number, rounds: readonly (readonly Round[])[]): Figure[] {
  const id = `embed.${clients}`
  const who = clients === 1 ? '1 client' : `${clients} clients`
  return [
    figure(
      { id: `${id}.hearth`, what: `${who}, Hearth`, unit: 'texts/s', better: 'higher' },
      pick(rounds, ({ hearth }) => hearth.perSecond),
    ),
    figure(
      {
        id: `${id}.ratio`,
        what: `${who}, Hearth to the encoder alone in batches of ${best}`,
        unit: 'ratio',
        better: 'higher',
        ...(goal && { goal }),
      },
      pick(rounds, ({ hearth, bare }) => hearth.perSecond / bare),
    ),
    figure(
      { id: `${id}.p95`, what: `${who}, from the submission to the result, p95`, unit: 'ms', better: 'lower' },
      pick(rounds, ({ hearth }) => quantile(hearth.latenciesMs, 0.95)),
    ),
  ]
}
