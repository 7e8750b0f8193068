import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { settings } from '../../../../src/config/config.ts'
import { envExample } from '../../../../src/config/env-example.ts'
import { readCpuQuota, readGroupMemory } from '../../../../src/runtime/devices/control-groups.ts'
import { readControlGroup } from '../../../../src/setup/doctor/control-group.mjs'
import { fileSystemOf, readFolder } from '../../../../src/setup/doctor/read-folder.mjs'
import { readMachine } from '../../../../src/setup/doctor/read-machine.mjs'
import { readNamedPaths } from '../../../../src/setup/doctor/read-named-paths.mjs'
import { holderOf, tryListening } from '../../../../src/setup/doctor/read-server.mjs'
import { readSettings } from '../../../../src/setup/doctor/settings.mjs'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-doctor-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const groups: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'version 2, bound by an ancestor': {
    '/proc/self/cgroup': '0::/a/b\n',
    '/sys/fs/cgroup/cgroup.controllers': 'cpu memory\n',
    '/sys/fs/cgroup/a/b/memory.max': 'max\n',
    '/sys/fs/cgroup/a/b/memory.current': '1000\n',
    '/sys/fs/cgroup/a/memory.max': '4000000\n',
    '/sys/fs/cgroup/a/memory.current': '3000000\n',
    '/sys/fs/cgroup/a/memory.stat': 'anon 5\ninactive_file 1000000\n',
    '/sys/fs/cgroup/a/b/cpu.max': '150000 100000\n',
    '/sys/fs/cgroup/a/cpu.max': 'max 100000\n',
  },
  'version 1': {
    '/proc/self/cgroup': '4:memory:/box\n1:cpu,cpuacct:/box\n',
    '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': '9223372036854771712\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '8000000\n',
    '/sys/fs/cgroup/memory/memory.usage_in_bytes': '2000000\n',
    '/sys/fs/cgroup/cpu/box/cpu.cfs_quota_us': '50000\n',
    '/sys/fs/cgroup/cpu/box/cpu.cfs_period_us': '100000\n',
  },
  none: {},
}

describe.for(Object.entries(groups))('control groups: %s', ([, files]) => {
  test('the doctor reads what the server reads', () => {
    const read = (path: string) => files[path] ?? null
    const { memory, cpuCores } = readControlGroup(read)
    expect(memory).toEqual(readGroupMemory(read))
    expect(cpuCores).toEqual(readCpuQuota(read))
  })
})

test('the kernel is read in its own words', () => {
  const files: Readonly<Record<string, string>> = {
    '/proc/meminfo': 'MemTotal:  1000 kB\nMemFree: 5 kB\nMemAvailable:   600 kB\n',
    '/proc/sys/vm/overcommit_memory': '2\n',
    '/proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-2,5\n',
    '/proc/self/limits': 'Max open files            1024                 unlimited            files\n',
  }
  expect(readMachine((path) => files[path] ?? null)).toMatchObject({
    totalBytes: 1_024_000,
    availableBytes: 614_400,
    overcommit: 2,
    cores: [0, 1, 2, 5],
    openFilesMax: Number.POSITIVE_INFINITY,
  })
})

test('a folder that is not there yet is judged by the one above it, and left as it was', () => {
  const read = readFolder(join(folder, 'not', 'yet'))
  expect(read).toMatchObject({ exists: false, refusal: null })
  expect(read.syncMs).toBeGreaterThan(0)
  expect(readdirSync(folder)).toEqual([])
})

test('a path that cannot be a folder is told', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  expect(readFolder(file).refusal).toContain('ENOTDIR')
})

test('the file system is that of the innermost mount, and of those the latest', () => {
  const mounts = [
    '1 0 8:1 / / rw - ext4 /dev/sda1 rw',
    '2 1 0:5 / /srv rw shared:1 - nfs4 host:/x rw',
    '3 1 0:6 / /srv/my\\040data rw - tmpfs tmpfs rw',
    '4 1 0:7 / /srv/my\\040data rw - xfs /dev/sdb rw',
  ].join('\n')
  expect(fileSystemOf('/home', mounts)).toBe('ext4')
  expect(fileSystemOf('/srv/other', mounts)).toBe('nfs4')
  expect(fileSystemOf('/srvother', mounts)).toBe('ext4')
  expect(fileSystemOf('/srv/my data/deep', mounts)).toBe('xfs')
  expect(fileSystemOf('/srv', null)).toBeNull()
})

test('the holder of a lock is found by the inode of its file', () => {
  const file = join(folder, 'lock.sqlite')
  expect(holderOf(file, '')).toBeNull()
  writeFileSync(file, '')
  const { ino } = statSync(file)
  const locks = [
    `1: POSIX  ADVISORY  WRITE 77 fe:00:${ino + 1} 0 EOF`,
    `2: POSIX  ADVISORY  READ 78 fe:00:${ino} 5 5`,
    `3: POSIX  ADVISORY  WRITE 4711 fe:00:${ino} 0 EOF`,
  ]
  expect(holderOf(file, locks.join('\n'))).toBe(4711)
  expect(holderOf(file, locks.slice(0, 2).join('\n'))).toBeNull()
})

test('settings are known without the packages that define them', () => {
  const read = readSettings(
    { HEARTH_PORT: '', HEARTH_HOST: '::1', HEARTH_NONSENSE: 'x', HEARTH_PYTHON: 'python3' },
    envExample(),
  )
  expect(read.names).toEqual([...Object.keys(settings.shape), 'HEARTH_PYTHON'])
  expect(read.unknown).toEqual(['HEARTH_NONSENSE'])
  expect(read.number('HEARTH_PORT', 1)).toBe(4000)
  expect(read.value('HEARTH_HOST', '')).toBe('::1')
})

test('what settings name is looked for: folders, each of a list, and files', () => {
  const file = join(folder, 'devices.json')
  writeFileSync(file, '')
  const read = (environment: NodeJS.ProcessEnv) =>
    readNamedPaths(readSettings({ HEARTH_MODEL_PATHS: folder, ...environment }, envExample())).map(
      ({ path, isThere }) => [path, isThere],
    )
  expect(read({})).toEqual([[folder, true]])
  expect(read({ HEARTH_MODEL_PATHS: `${folder}, ${file}` })).toEqual([
    [folder, true],
    [file, false],
  ])
  expect(read({ HEARTH_DEVICES: file }).at(-1)).toEqual([file, true])
  expect(read({ HEARTH_PROGRAM_PATHS: join(folder, 'none') }).at(-1)).toEqual([join(folder, 'none'), false])
})

test('a port that is none is told, not thrown', async () => {
  expect(await tryListening('127.0.0.1', 70_000)).toBe('ERR_SOCKET_BAD_PORT')
  expect(await tryListening('127.0.0.1', 0)).toBeNull()
})
