/** The facts of a machine on which nothing is wrong, and the same with something changed. */
import type { Facts } from '../../../../src/setup/doctor/facts.mjs'
import type { Level } from '../../../../src/setup/doctor/finding.mjs'
import { judge } from '../../../../src/setup/doctor/judge.mjs'
import type { Folder } from '../../../../src/setup/doctor/read-folder.mjs'
import { readSettings } from '../../../../src/setup/doctor/settings.mjs'

export const gibibyte = 1024 ** 3

const folder: Folder = {
  path: '/srv/hearth/data',
  exists: true,
  fileSystem: 'ext4',
  totalBytes: 100 * gibibyte,
  freeBytes: 50 * gibibyte,
  totalInodes: 1_000_000,
  freeInodes: 900_000,
  refusal: null,
  syncMs: 2,
  skewMs: 0,
  newestMs: Date.UTC(2027, 0, 1),
}

const healthy: Facts = {
  settings: readSettings({}),
  programs: {
    platform: 'linux',
    architecture: 'x64',
    glibc: '2.36',
    node: '20.19.0',
    npm: '11.0.0',
    python: { version: '3.12.1', path: '/usr/bin/python3' },
    isSetUp: { 'node packages': true, 'Python environment': true, 'starter models': true },
    brokenNode: null,
    brokenPython: null,
    wrongSettings: null,
  },
  machine: {
    totalBytes: 16 * gibibyte,
    availableBytes: 12 * gibibyte,
    overcommit: 0,
    group: { version: 2, memory: null, cpuCores: null },
    cores: [0, 1, 2, 3],
    openFilesMax: 1_048_576,
    nowMs: Date.UTC(2027, 0, 2),
    clockLeapMs: 0,
  },
  dataFolder: folder,
  sharedMemory: { ...folder, path: '/dev/shm', fileSystem: 'tmpfs', freeBytes: 4 * gibibyte },
  temporary: { ...folder, path: '/tmp' },
  namedPaths: [{ setting: 'HEARTH_MODEL_PATHS', path: '/srv/hearth/models', wanted: 'folder', isThere: true }],
  server: { host: '127.0.0.1', port: 4000, portRefusal: null, health: null, holder: null, unknownMigrations: 0 },
}

/** Parts of each group of facts that are otherwise. */
export type Changes = {
  readonly [Group in Exclude<keyof Facts, 'settings' | 'namedPaths'>]?: Partial<Facts[Group]>
} & {
  readonly namedPaths?: Facts['namedPaths']
  readonly environment?: Readonly<Record<string, string>>
}

export function machine({ environment = {}, ...changes }: Changes = {}): Facts {
  return {
    settings: readSettings({ ...environment }),
    programs: { ...healthy.programs, ...changes.programs },
    machine: { ...healthy.machine, ...changes.machine },
    dataFolder: { ...healthy.dataFolder, ...changes.dataFolder },
    sharedMemory: { ...healthy.sharedMemory, ...changes.sharedMemory },
    temporary: { ...healthy.temporary, ...changes.temporary },
    namedPaths: changes.namedPaths ?? healthy.namedPaths,
    server: { ...healthy.server, ...changes.server },
  }
}

/** What is not well, as `LEVEL check: message`. */
export function complaints(changes: Changes): string[] {
  return judge(machine(changes))
    .filter(({ level }) => level !== ('OK' satisfies Level))
    .map(({ level, check, message }) => `${level} ${check}: ${message}`)
}
