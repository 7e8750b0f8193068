/** Files far larger than what a server should hold of them: through Hearth, through a server that builds them in memory, and straight to the disk. */
import { FileTraveller, type FileTrip } from './files/file-door.ts'
import { HearthDoor } from './files/hearth-door.ts'
import { NaiveDoor } from './files/naive-door.ts'
import { writeRaw } from './files/raw-disk.ts'
import { type Benchmark, type Figure, type FigureHead, figure, type RunSettings } from './harness/benchmark.ts'
import { measureSeries, pick, plan } from './harness/rounds.ts'
import { formatNumber } from './harness/table.ts'

const mib = 1024 * 1024
const fileBytes = 1024 * mib
const quickBytes = 128 * mib
/** Of 1 GiB that is built in memory, a twentieth. */
const peakGoalMB = 54

export const files: Benchmark = {
  name: 'files',
  about:
    'A file of 1 GiB sent to PUT /uploads (hashed, synced, committed before the answer) and read back, every byte compared, in turn with a naive server.',
  placement: 'server on core 0, generator on core 1',
  generatorCore: 1,
  peers: [],
  run: measureFiles,
}

interface Round {
  readonly hearth: FileTrip
  readonly naive: FileTrip
  readonly rawMs: number
}

async function measureFiles(settings: RunSettings): Promise<readonly Figure[]> {
  await using hearthDoor = await HearthDoor.start({ profileDir: settings.profileDir })
  await using naiveDoor = await NaiveDoor.start()
  const hearth = await FileTraveller.start(hearthDoor)
  const naive = await FileTraveller.start(naiveDoor)
  const sizeBytes = settings.isQuick ? quickBytes : fileBytes
  const rounds = await measureSeries(plan(settings, { series: 1, roundsPerSeries: 3 }), async (): Promise<Round> => {
    const round = {
      hearth: await settings.quiet.round(() => hearth.trip(sizeBytes)),
      naive: await settings.quiet.round(() => naive.trip(sizeBytes)),
      rawMs: await settings.quiet.round(() => writeRaw(sizeBytes)),
    }
    settings.say(`Hearth ${inWords(round.hearth, sizeBytes)}`)
    settings.say(`naive ${inWords(round.naive, sizeBytes)}`)
    settings.say(`straight to the disk ${formatNumber(rateOf(round.rawMs, sizeBytes))} MB/s`)
    return round
  })
  const rate = { unit: 'MB/s', better: 'higher' } as const
  return [
    ...tripFigures(
      'files.hearth',
      'Hearth',
      pick(rounds, (round) => round.hearth),
      sizeBytes,
      true,
    ),
    ...tripFigures(
      'files.naive',
      'naive server',
      pick(rounds, (round) => round.naive),
      sizeBytes,
      false,
    ),
    figure(
      { id: 'files.raw', what: 'written straight to the disk and synced, neither hashed nor sent', ...rate },
      pick(rounds, ({ rawMs }) => rateOf(rawMs, sizeBytes)),
    ),
  ]
}

function tripFigures(
  id: string,
  who: string,
  trips: readonly (readonly FileTrip[])[],
  sizeBytes: number,
  hasGoal: boolean,
): Figure[] {
  const rate = { unit: 'MB/s', better: 'higher' } as const
  const peak: Pick<FigureHead, 'unit' | 'better' | 'goal'> = {
    unit: 'MB',
    better: 'lower',
    ...(hasGoal && { goal: { atMost: peakGoalMB } }),
  }
  return [
    figure(
      { id: `${id}.up`, what: `${who}, up`, ...rate },
      pick(trips, ({ upMs }) => rateOf(upMs, sizeBytes)),
    ),
    figure(
      { id: `${id}.down`, what: `${who}, down`, ...rate },
      pick(trips, ({ downMs }) => rateOf(downMs, sizeBytes)),
    ),
    figure(
      { id: `${id}.up.peak`, what: `${who}, up, growth of its resident memory at most`, ...peak },
      pick(trips, ({ upPeakBytes }) => upPeakBytes / 1e6),
    ),
    figure(
      { id: `${id}.down.peak`, what: `${who}, down, growth of its resident memory at most`, ...peak },
      pick(trips, ({ downPeakBytes }) => downPeakBytes / 1e6),
    ),
  ]
}

function rateOf(ms: number, sizeBytes: number): number {
  return sizeBytes / 1000 / ms
}

function inWords({ upMs, downMs, upPeakBytes, downPeakBytes }: FileTrip, sizeBytes: number): string {
  const rate = (ms: number) => formatNumber(rateOf(ms, sizeBytes))
  const megabytes = (bytes: number) => formatNumber(bytes / 1e6)
  return `up ${rate(upMs)} MB/s, down ${rate(downMs)} MB/s, growth ${megabytes(upPeakBytes)} and ${megabytes(downPeakBytes)} MB`
}
