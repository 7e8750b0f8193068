/** How a worker process is started, and the little that it gets to know of its surroundings. */
import { delimiter } from 'node:path'
import type { DeviceId, WorkerId } from '../../scheduler/ids.ts'

export interface WorkerCommand {
  readonly file: string
  readonly arguments: readonly string[]
  /** Besides what every worker gets. */
  readonly environment: Readonly<Record<string, string>>
}

/** Programs of third parties that are not installed: absolute paths of folders whose sub-folders hold a program.py. */
export interface ProgramFolders {
  readonly paths: readonly string[]
  /** Whether a file that has changed is imported again before the next task. */
  readonly reload: boolean
}

/** The Python worker of this repository: `python` is the interpreter, `packageFolder` the folder that holds `hearth_worker`. */
export function pythonWorker(
  python: string,
  packageFolder: string,
  programs: ProgramFolders = { paths: [], reload: false },
): WorkerCommand {
  return {
    file: python,
    arguments: ['-m', 'hearth_worker'],
    environment: {
      PYTHONPATH: packageFolder,
      HEARTH_PROGRAM_PATHS: programs.paths.join(delimiter),
      HEARTH_PROGRAM_RELOAD: programs.reload ? 'on' : 'off',
    },
  }
}

export interface WorkerSpec {
  readonly workerId: WorkerId
  readonly deviceId: DeviceId
  readonly engine: string
  /** Compute threads that it may use. */
  readonly threads: number
  /** Cores that it is pinned to; empty = anywhere. */
  readonly cores: readonly number[]
  /** Private memory beyond which its allocations fail, so that what is too large fails alone; null = it is not bounded. */
  readonly privateBytesMax: number | null
}

/** Variables that are handed on: where programs and libraries are found, and which accelerator is meant. */
const inherited = [
  'PATH',
  'HOME',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'CUDA_DEVICE_ORDER',
]

export function workerEnvironment(
  spec: WorkerSpec,
  command: WorkerCommand,
  own: NodeJS.ProcessEnv,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const name of inherited) {
    const value = own[name]
    if (value !== undefined) environment[name] = value
  }
  return {
    ...environment,
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    // The server's working directory is nobody's package folder.
    PYTHONSAFEPATH: '1',
    PYTHONNOUSERSITE: '1',
    // Threads of numeric libraries: as many as granted, and asleep while there is nothing to do.
    OMP_NUM_THREADS: String(spec.threads),
    OMP_WAIT_POLICY: 'PASSIVE',
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_VERBOSITY: 'error',
    ...command.environment,
    HEARTH_WORKER_ID: String(spec.workerId),
    // Worker numbers are never reused, so the number is the epoch that fences off late messages.
    HEARTH_EPOCH: String(spec.workerId),
    HEARTH_ENGINE: spec.engine,
    HEARTH_THREADS: String(spec.threads),
    HEARTH_CORES: spec.cores.join(','),
    HEARTH_PRIVATE_BYTES: String(spec.privateBytesMax ?? ''),
  }
}
