import { describe, expect, test } from 'vitest'
import { isLoopback } from '../../../../src/server/gate/loopback.ts'
import { judge } from '../../../../src/setup/doctor/judge.mjs'
import { report } from '../../../../src/setup/doctor/report.mjs'
import { type Changes, complaints, gibibyte, machine } from './machine-facts.ts'

test('on a good machine everything is well', () => {
  expect(complaints({})).toEqual([])
})

const mebibyte = 1024 ** 2
const network = 'the database needs shared memory and locks that only a local disk gives'

const cases: readonly (readonly [what: string, changes: Changes, complaint: RegExp])[] = [
  ['Windows', { programs: { platform: 'win32' } }, /^FAIL platform: Hearth does not run on win32/],
  ['another processor', { programs: { architecture: 'ppc64' } }, /^FAIL platform: .*no packages/],
  ['another C library', { programs: { glibc: null } }, /^FAIL glibc: .*not glibc/],
  ['an old C library', { programs: { glibc: '2.17' } }, /^FAIL glibc: glibc 2\.17 is older than 2\.28/],
  ['an old Node', { programs: { node: '20.18.3' } }, /^FAIL Node: 20\.18\.3 is older than 20\.19/],
  ['no npm, but packages', { programs: { npm: null } }, /^WARN npm/],
  ['no npm and no packages', { programs: { npm: null, isSetUp: isSetUp(false) } }, /^FAIL npm/],
  ['no Python, but an environment', { programs: { python: { refusal: 'none' } } }, /^WARN Python: none/],
  [
    'no Python at all',
    { programs: { python: { refusal: 'no Python\npython3: not found' }, isSetUp: isSetUp(false) } },
    /^FAIL Python: no Python; python3: not found/,
  ],
  ['no set-up', { programs: { isSetUp: isSetUp(false) } }, /^WARN set-up: .*node packages, Python environment/],
  ['a Node that does not run', { programs: { brokenNode: 'no such library' } }, /^FAIL set-up: .*no such library/],
  ['a Python that does not run', { programs: { brokenPython: 'No module' } }, /^FAIL set-up: .*No module/],
  ['a wrong setting', { programs: { wrongSettings: 'HEARTH_PORT: too big' } }, /^FAIL settings: HEARTH_PORT/],
  ['a setting that is none', { environment: { HEARTH_PROT: '1' } }, /^WARN settings: HEARTH_PROT is no setting/],
  ['hardly any memory', { machine: { availableBytes: 300 * mebibyte } }, /^FAIL memory: 300 MiB of 16\.0 GiB/],
  [
    'a control group that leaves little',
    { machine: { group: group({ limitBytes: 2 * gibibyte, usedBytes: gibibyte }) } },
    /^WARN memory: 1\.0 GiB of 2\.0 GiB .*version 2\) allows 2\.0 GiB.*plans with 716 MiB/,
  ],
  ['strict overcommit', { machine: { overcommit: 2 } }, /^WARN overcommit/],
  ['half a core', { machine: { group: group(null, 0.5) } }, /^WARN cores: 4 cores .* 0\.50 of one core/],
  ['few open files', { machine: { openFilesMax: 1024 } }, /^WARN open files: At most 1024 .*4096 connections/],
  ['hardly any open files', { machine: { openFilesMax: 256 } }, /^FAIL open files: At most 256/],
  ['a clock that was never set', { machine: { nowMs: 0 } }, /^FAIL clock: It says 1970-01-01/],
  ['a clock without a date', { machine: { nowMs: Number.MAX_VALUE } }, /^FAIL clock: It says no date/],
  ['a leaping clock', { machine: { clockLeapMs: -4000 } }, /^WARN clock: It leapt by -4000 ms/],
  ['a disk with another time', { dataFolder: { skewMs: 30_000 } }, /^WARN clock: .*30 s apart/],
  ['a clock set back', { dataFolder: { newestMs: Date.UTC(2027, 5) } }, /^WARN clock: .*has been set back/],
  ['a read-only folder', { dataFolder: { refusal: 'EROFS', syncMs: null } }, /^FAIL data folder: .*EROFS/],
  [
    'a file for a folder',
    { dataFolder: { refusal: "ENOTDIR: not a directory, open '/srv/x'", syncMs: null } },
    /^FAIL data folder: .* is a file, or lies below one/,
  ],
  [
    'models that are not there',
    { namedPaths: [{ setting: 'HEARTH_MODEL_PATHS', path: '/my/models', wanted: 'folder', isThere: false }] },
    /^WARN settings: There is no folder \/my\/models, which HEARTH_MODEL_PATHS names: no models/,
  ],
  [
    'devices that are not there',
    { namedPaths: [{ setting: 'HEARTH_DEVICES', path: '/devices.json', wanted: 'file', isThere: false }] },
    /^FAIL settings: There is no file \/devices\.json, which HEARTH_DEVICES names/,
  ],
  [
    'an address that others could reach',
    { server: { host: '0.0.0.0' } },
    /^FAIL port: The server refuses to listen on 0/,
  ],
  ['a network disk', { dataFolder: { fileSystem: 'nfs4' } }, new RegExp(`^FAIL data disk: .*${network}`)],
  ['a shared folder', { dataFolder: { fileSystem: 'fuse.sshfs' } }, new RegExp(`^FAIL data disk: .*${network}`)],
  ["a container's layer", { dataFolder: { fileSystem: 'overlay' } }, /^WARN data disk: .*layer of a container/],
  ['a disk in memory', { dataFolder: { fileSystem: 'tmpfs' } }, /^WARN data disk: .*everything is lost/],
  ['a slow disk', { dataFolder: { syncMs: 400 } }, /^WARN data disk: .*400 ms to confirm/],
  ['a full disk', { dataFolder: { freeBytes: 100 * mebibyte } }, /^FAIL disk space: 100 MiB of 100\.0 GiB/],
  ['a disk that fills', { dataFolder: { freeBytes: gibibyte } }, /^WARN disk space/],
  ['no inodes', { dataFolder: { freeInodes: 3 } }, /^FAIL inodes/],
  ['few inodes', { dataFolder: { freeInodes: 3000 } }, /^WARN inodes/],
  ['no shared memory', { sharedMemory: { exists: false } }, /^WARN shared memory: There is no \/dev\/shm/],
  [
    "Docker's shared memory",
    { sharedMemory: { totalBytes: 64 * mebibyte, freeBytes: 64 * mebibyte } },
    /^WARN shared memory: 64 MiB of 64 MiB .*gets 32 MiB instead of 256 MiB/,
  ],
  ['locked shared memory', { sharedMemory: { refusal: 'EACCES' } }, /^WARN shared memory: .*EACCES/],
  ['no temporary folder', { temporary: { refusal: 'ENOENT' } }, /^WARN temporary files/],
  ['a taken port', { server: { portRefusal: 'EADDRINUSE' } }, /^FAIL port: 127\.0\.0\.1:4000 is taken/],
  ['a forbidden port', { server: { port: 80, portRefusal: 'EACCES' } }, /^FAIL port: 127\.0\.0\.1:80 may not/],
  ['an address of nobody', { server: { portRefusal: 'EADDRNOTAVAIL' } }, /^FAIL port: .*EADDRNOTAVAIL/],
  ['silent workers', { server: { portRefusal: 'EADDRINUSE', health: 'degraded' } }, /^WARN port: Hearth is running/],
  ['a folder held by another', { server: { holder: 4711 } }, /^WARN lock: Process 4711 works on/],
  ['a newer database', { server: { unknownMigrations: 2 } }, /^FAIL database: .*2 changes unknown here/],
]

describe('what is wrong is told, and nothing else', () => {
  test.for(cases)('%s', ([, changes, complaint]) => {
    const told = complaints(changes)
    expect(told[0]).toMatch(complaint)
    // Where nothing is set up yet, that is told beside what it keeps from being set up.
    expect(told.filter((line) => !/ set-up:/.test(line) || complaint.test(line))).toHaveLength(1)
  })

  test('what fails or warns comes with something to do', () => {
    for (const [, changes] of cases) {
      for (const { level, mend } of judge(machine(changes))) {
        if (level === 'OK') expect(mend).toBeNull()
        else expect(mend?.length).toBeGreaterThan(10)
      }
    }
  })
})

test('macOS works with less, in the words of the set-up', () => {
  const told = complaints({
    programs: { platform: 'darwin', architecture: 'arm64', glibc: null },
    machine: {
      cores: null,
      openFilesMax: null,
      overcommit: null,
      group: { version: null, memory: null, cpuCores: null },
    },
    sharedMemory: { exists: false },
  })
  expect(told).toEqual([
    'WARN platform: darwin on arm64: Hearth runs without shared memory, core affinity and exact memory accounting.',
  ])
})

test('a running Hearth on the port is well, and so is its lock', () => {
  expect(complaints({ server: { portRefusal: 'EADDRINUSE', health: 'ok', holder: 12 } })).toEqual([])
})

test('addresses are judged as the server judges them', () => {
  for (const host of [
    'localhost',
    'me.localhost',
    '127.0.0.1',
    '127.9.8.7',
    '::1',
    '[::1]',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'Localhost',
  ])
    expect(complaints({ server: { host } }), host).toHaveLength(isLoopback(host) ? 0 : 1)
})

test('a name that is nearly a setting says which', () => {
  const mend = judge(machine({ environment: { HEARTH_PROT: '1' } })).find(({ check }) => check === 'settings')?.mend
  expect(mend).toBe('Is HEARTH_PORT meant?')
})

test('a setting changes what is needed', () => {
  const environment = { HEARTH_MAX_CONNECTIONS: '500' }
  expect(complaints({ environment, machine: { openFilesMax: 1024 } })).toEqual([])
})

test('the report counts, and puts what to do below what it mends', () => {
  const text = report(judge(machine({ server: { portRefusal: 'EADDRINUSE' }, machine: { overcommit: 2 } })))
  expect(text).toMatch(/^FAIL {2}port .*\n +-> HEARTH_PORT=4001 npm start/m)
  expect(text).toMatch(/1 failed, 1 to look at/)
})

function isSetUp(isReady: boolean) {
  return { 'node packages': isReady, 'Python environment': isReady, 'starter models': isReady }
}

function group(memory: { limitBytes: number; usedBytes: number } | null, cpuCores: number | null = null) {
  return { version: 2 as const, memory, cpuCores }
}
