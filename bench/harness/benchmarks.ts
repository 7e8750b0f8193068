/** All benchmarks, in the order in which they run and are reported. */
import { ablation } from '../ablation.ts'
import { batching } from '../batching.ts'
import { contention } from '../contention.ts'
import { crash } from '../crash.ts'
import { embed } from '../embed.ts'
import { failover } from '../failover.ts'
import { files } from '../files.ts'
import { noop } from '../noop.ts'
import { pictures } from '../pictures.ts'
import { simulated } from '../simulated.ts'
import { startup } from '../startup.ts'
import { stream } from '../stream.ts'
import { submitBenchmark } from '../submit.ts'
import { text } from '../text.ts'
import { transfer } from '../transfer.ts'
import type { Benchmark } from './benchmark.ts'

export const benchmarks: readonly Benchmark[] = [
  noop,
  submitBenchmark,
  stream,
  transfer,
  batching,
  files,
  embed,
  text,
  pictures,
  ablation,
  simulated,
  contention,
  crash,
  failover,
  startup,
]

export function benchmarkNamed(name: string): Benchmark {
  const found = benchmarks.find((benchmark) => benchmark.name === name)
  if (found) return found
  throw new Error(
    `There is no benchmark ${JSON.stringify(name)}; there are: ${benchmarks.map((benchmark) => benchmark.name).join(', ')}.`,
  )
}
