/**
 * What Hearth costs a text: the same prompts by the engine alone and through the server, in turn, in one run. The engine has one
 * core to itself on both sides; everything that Hearth adds outside the worker runs on the other.
 */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { runJob } from './clients/jobs.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { median } from './harness/statistics.ts'
import { BareEngine, type TextRound } from './text/bare-engine.ts'

const model = 'smollm2-135m-instruct'
const engineCore = 1
const threads = 1
const tokensAlone = 128
const tokensTogether = 64
const streamsTogether = 4

export const text: Benchmark = {
  name: 'text',
  about: 'generateText against the engine alone, with the same options, prompts and threads, in turn.',
  placement: 'engine on core 1 with one thread, alone or as a worker of the server; server and generator on core 0',
  generatorCore: 0,
  peers: [],
  run: measureText,
}

interface Pair {
  readonly bare: TextRound
  readonly hearth: TextRound
}

interface Comparison {
  readonly alone: Pair
  readonly together: Pair
}

async function measureText(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start({ workerCore: engineCore, profileDir: settings.profileDir })
  using engine = await BareEngine.start(model, threads, engineCore)
  const socket = await GraphQLSocket.open(server.url)
  const once = async (first: number, streams: number, maxTokens: number): Promise<Pair> => {
    const prompts = Array.from({ length: streams }, (_, index) => promptOf(first + index))
    const pair = {
      bare: await engine.round(prompts, maxTokens),
      hearth: await roundOfHearth(socket, prompts, maxTokens),
    }
    settings.say(describe(streams, pair))
    return pair
  }

  const measure: typeof once = (...pair) => settings.quiet.round(() => once(...pair))

  await once(0, streamsTogether, tokensTogether) // loads the model
  const rounds = await measureSeries(
    plan(settings, { series: 2, roundsPerSeries: 5 }),
    async (round): Promise<Comparison> => {
      const first = (round + 1) * (streamsTogether + 1)
      return {
        alone: await measure(first, 1, tokensAlone),
        together: await measure(first + 1, streamsTogether, tokensTogether),
      }
    },
  )
  socket.close()
  return [
    ...rateFigures('text.one', 'one stream', rounds, ({ alone }) => alone),
    ...rateFigures('text.four', `${streamsTogether} streams`, rounds, ({ together }) => together),
    ...firstTokenFigures(rounds),
  ]
}

function rateFigures(
  id: string,
  what: string,
  rounds: readonly (readonly Comparison[])[],
  of: (comparison: Comparison) => Pair,
): Figure[] {
  const rate = { unit: 'tokens/s', better: 'higher' } as const
  return [
    figure(
      { id: `${id}.engine`, what: `${what}, engine alone`, ...rate },
      pick(rounds, (round) => tokensPerSecond(of(round).bare)),
    ),
    figure(
      { id: `${id}.hearth`, what: `${what}, Hearth`, ...rate },
      pick(rounds, (round) => tokensPerSecond(of(round).hearth)),
    ),
    figure(
      {
        id: `${id}.ratio`,
        what: `${what}, Hearth to engine, pair by pair`,
        unit: 'ratio',
        better: 'higher',
        goal: { atLeast: 0.95 },
      },
      pick(rounds, (round) => tokensPerSecond(of(round).hearth) / tokensPerSecond(of(round).bare)),
    ),
  ]
}

function firstTokenFigures(rounds: readonly (readonly Comparison[])[]): Figure[] {
  const latency = { unit: 'ms', better: 'lower' } as const
  return [
    figure(
      { id: 'text.first.engine', what: 'time to first token, engine alone', ...latency },
      pick(rounds, ({ alone }) => median(alone.bare.firstTokenMs)),
    ),
    figure(
      { id: 'text.first.hearth', what: 'time to first token, Hearth, from the submission', ...latency },
      pick(rounds, ({ alone }) => median(alone.hearth.firstTokenMs)),
    ),
    figure(
      {
        id: 'text.first.added',
        what: 'time to first token, added by Hearth, pair by pair',
        ...latency,
        goal: { atMost: 5 },
      },
      pick(rounds, ({ alone }) => median(alone.hearth.firstTokenMs) - median(alone.bare.firstTokenMs)),
    ),
  ]
}

async function roundOfHearth(socket: GraphQLSocket, prompts: readonly string[], maxTokens: number): Promise<TextRound> {
  const startedAt = performance.now()
  const streams = await Promise.all(
    prompts.map(async (prompt) => {
      let firstAt = Number.NaN
      const task = { generateText: { prompt, maxTokens, temperature: 0, topP: 1, seed: 1 } }
      const { output } = await runJob(socket, { model, task }, ({ __typename }) => {
        if (__typename === 'TextDelta' && Number.isNaN(firstAt)) firstAt = performance.now()
      })
      return { tokens: output?.completionTokens ?? 0, firstTokenMs: firstAt - startedAt }
    }),
  )
  return {
    tokens: streams.reduce((sum, { tokens }) => sum + tokens, 0),
    elapsedMs: performance.now() - startedAt,
    firstTokenMs: streams.map(({ firstTokenMs }) => firstTokenMs),
  }
}

function tokensPerSecond({ tokens, elapsedMs }: TextRound): number {
  return (tokens / elapsedMs) * 1000
}

/** No two share a beginning, so that no prompt is found in the engine's cache. */
function promptOf(number: number): string {
  return `${number}: write a long story about a lighthouse keeper, his ${number} boats and the storm of the year ${1500 + number}.`
}

function describe(streams: number, { bare, hearth }: Pair): string {
  const side = (round: TextRound) =>
    `${tokensPerSecond(round).toFixed(1)} tokens/s (${round.tokens}), first after ${Math.round(median(round.firstTokenMs))} ms`
  return `${streams} stream${streams > 1 ? 's' : ''}: engine ${side(bare)}; Hearth ${side(hearth)}`
}
