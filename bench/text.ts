/**
 * What Hearth costs a text: the same prompts by the engine alone and through the server, in turn, in one run. The engine has one
 * core to itself on both sides; everything that Hearth adds outside the worker runs on the other.
 */
import { GraphQLSocket } from './clients/graphql-socket.ts'
import { runJob } from './clients/jobs.ts'
import { type Benchmark, type Figure, figure, type RunSettings } from './harness/benchmark.ts'
import { PythonLines } from './harness/python-lines.ts'
import { measureSeries, pick, plan } from './harness/rounds.ts'
import { MeasuredServer } from './harness/server.ts'
import { median } from './harness/statistics.ts'

const model = 'smollm2-135m-instruct'
const bareEngine = new URL('text/engine.py', import.meta.url)
const engineCore = 1
const threads = 1
const tokensAlone = 128
const tokensTogether = 64
/** A few more than the first, so that it does not come together with the end. */
const tokensForFirst = 4
const streamsTogether = 4

export const text: Benchmark = {
  name: 'text',
  about: 'generateText against the engine alone, with the same options, prompts and threads, in turn.',
  placement: 'engine on core 1 with one thread, alone or as a worker of the server; server and generator on core 0',
  generatorCore: 0,
  peers: [],
  run: measureText,
}

interface TextRound {
  readonly tokens: number
  /** From the request to the end of the last stream. */
  readonly elapsedMs: number
  /** From the request to the first text of each stream. */
  readonly firstTokenMs: readonly number[]
}

interface Pair {
  readonly bare: TextRound
  readonly hearth: TextRound
}

async function measureText(settings: RunSettings): Promise<readonly Figure[]> {
  await using server = await MeasuredServer.start({ workerCore: engineCore, profileDir: settings.profileDir })
  using engine = await PythonLines.start({ script: bareEngine, model, threads, cores: [engineCore] })
  const socket = await GraphQLSocket.open(server.url)
  const sides = {
    bare: async (prompts: readonly string[], maxTokens: number) =>
      (await engine.ask({ prompts, maxTokens })) as TextRound,
    hearth: (prompts: readonly string[], maxTokens: number) => roundOfHearth(socket, prompts, maxTokens),
  }
  let pairs = 0
  const once = async (prompts: readonly string[], maxTokens: number): Promise<Pair> => {
    pairs += 1
    // Now the one first, now the other.
    if (pairs % 2 === 0) {
      const bare = await sides.bare(prompts, maxTokens)
      return { bare, hearth: await sides.hearth(prompts, maxTokens) }
    }
    const hearth = await sides.hearth(prompts, maxTokens)
    return { hearth, bare: await sides.bare(prompts, maxTokens) }
  }
  let lastNumber = 0
  const measure = async (streams: number, maxTokens: number, promptOf = longPrompt): Promise<Pair> => {
    // Each prompt once: a second time it would be found in the engine's cache.
    const prompts = () => Array.from({ length: streams }, () => promptOf((lastNumber += 1)))
    const pair = await settings.quiet.round(() => once(prompts(), maxTokens))
    settings.say(describe(streams, pair))
    return pair
  }

  await once(
    Array.from({ length: streamsTogether }, () => 'Who are you?'),
    tokensTogether,
  ) // loads the model
  const rates = await measureSeries(plan(settings, { series: 2, roundsPerSeries: 4 }), async () => ({
    alone: await measure(1, tokensAlone),
    together: await measure(streamsTogether, tokensTogether),
  }))
  const firsts = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 40 }), () =>
    measure(1, tokensForFirst, shortPrompt),
  )
  socket.close()
  return [
    ...rateFigures(
      'text.one',
      'one stream',
      pick(rates, ({ alone }) => alone),
    ),
    ...rateFigures(
      'text.four',
      `${streamsTogether} streams`,
      pick(rates, ({ together }) => together),
    ),
    ...firstTokenFigures(firsts),
  ]
}

function rateFigures(id: string, what: string, rounds: readonly (readonly Pair[])[]): Figure[] {
  const rate = { unit: 'tokens/s', better: 'higher' } as const
  const ratio = { unit: 'ratio', better: 'higher', goal: { atLeast: 0.95 } } as const
  const ratioOf = ({ bare, hearth }: Pair) => tokensPerSecond(hearth) / tokensPerSecond(bare)
  return [
    figure(
      { id: `${id}.engine`, what: `${what}, engine alone`, ...rate },
      pick(rounds, ({ bare }) => tokensPerSecond(bare)),
    ),
    figure(
      { id: `${id}.hearth`, what: `${what}, Hearth`, ...rate },
      pick(rounds, ({ hearth }) => tokensPerSecond(hearth)),
    ),
    figure(
      { id: `${id}.ratio`, what: `${what}, Hearth to engine, pair by pair`, ...ratio },
      asOneSeries(pick(rounds, ratioOf)),
    ),
  ]
}

function firstTokenFigures(rounds: readonly (readonly Pair[])[]): Figure[] {
  const latency = { unit: 'ms', better: 'lower' } as const
  const what = 'time to first token'
  const addedMs = ({ bare, hearth }: Pair) => firstTokenMs(hearth) - firstTokenMs(bare)
  return [
    figure(
      { id: 'text.first.engine', what: `${what}, engine alone`, ...latency },
      pick(rounds, ({ bare }) => firstTokenMs(bare)),
    ),
    figure(
      { id: 'text.first.hearth', what: `${what}, Hearth, from the submission`, ...latency },
      pick(rounds, ({ hearth }) => firstTokenMs(hearth)),
    ),
    figure(
      { id: 'text.first.added', what: `${what}, added by Hearth, pair by pair`, ...latency, goal: { atMost: 5 } },
      asOneSeries(pick(rounds, addedMs)),
    ),
  ]
}

/** What compares two sides is disturbed in both directions, so its value is the median of all rounds, not of the best series. */
function asOneSeries(series: readonly (readonly number[])[]): number[][] {
  return [series.flat()]
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

function firstTokenMs(round: TextRound): number {
  return median(round.firstTokenMs)
}

function tokensPerSecond({ tokens, elapsedMs }: TextRound): number {
  return (tokens / elapsedMs) * 1000
}

function longPrompt(number: number): string {
  return `${number}: write a long story about a lighthouse keeper, his ${number} boats and the storm of the year ${1500 + number}.`
}

/** Of few tokens, because what reading a prompt takes varies by more than what Hearth adds to it. */
function shortPrompt(number: number): string {
  return `${number}!`
}

function describe(streams: number, { bare, hearth }: Pair): string {
  const side = (round: TextRound) =>
    `${tokensPerSecond(round).toFixed(1)} tokens/s (${round.tokens}), first after ${Math.round(firstTokenMs(round))} ms`
  return `${streams} stream${streams > 1 ? 's' : ''}: engine ${side(bare)}; Hearth ${side(hearth)}`
}
