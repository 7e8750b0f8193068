/** The starter image model, loaded once by a process of its own. */
import { PythonLines } from '../harness/python-lines.ts'

const program = new URL('load_model.py', import.meta.url)
const model = 'ember'
const threads = 1

export interface WayToLoad {
  readonly way: 'by-component' | 'whole-files'
  /** Threads that open components at the same time; whole files are opened by one. */
  readonly openers: number
  readonly cores: readonly number[]
}

export interface Loaded {
  readonly firstComponentMs: number
  readonly firstStepMs: number
  readonly loadMs: number
  readonly peakBytes: number
}

export async function loadOnce({ way, openers, cores }: WayToLoad): Promise<Loaded> {
  using loader = await PythonLines.start({ script: program, model, threads, cores })
  return (await loader.ask({ way, openers })) as Loaded
}
