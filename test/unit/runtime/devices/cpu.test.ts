import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cpuDevices } from '../../../../src/runtime/devices/cpu.ts'
import { readDeviceFile } from '../../../../src/runtime/devices/device-file.ts'
import type { ReadSystemFile } from '../../../../src/runtime/devices/system-files.ts'

const gibibyte = 1024 ** 3
/** A machine with eight cores and 16 GiB, 10 of them available. */
const machine = {
  '/proc/cpuinfo':
    'processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Xeon\nflags\t\t: fpu avx2 avx512f avx512_bf16 amx_bf16 amx_int8 mmx\n',
  '/proc/self/status': 'Name:\tnode\nCpus_allowed_list:\t0-3,6,8-10\n',
  '/proc/meminfo': meminfo(16, 10),
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hearth-devices-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('without a file there is one device', () => {
  test('with all allowed cores and 70 % of the memory that is available', async () => {
    const { devices } = await cpuDevices(null, files(machine))
    expect(devices).toEqual([
      {
        name: 'cpu',
        kind: 'CPU',
        vendor: 'Intel',
        cores: [0, 1, 2, 3, 6, 8, 9, 10],
        coreCount: 8,
        totalBytes: 16 * gibibyte,
        limitBytes: 7 * gibibyte,
        capabilities: {
          coreCount: 8,
          precisions: ['fp32', 'bf16', 'int8'],
          architecture: process.arch,
          driverVersion: null,
          details: {
            model: 'Xeon',
            cores: [0, 1, 2, 3, 6, 8, 9, 10],
            cpuQuota: null,
            instructionSets: ['avx2', 'avx512f', 'avx512_bf16', 'amx_int8', 'amx_bf16'],
          },
        },
      },
    ])
  })

  test('that keeps within a container (control groups, version 2)', async () => {
    const container = {
      '/proc/self/cgroup': '0::/\n',
      '/sys/fs/cgroup/cgroup.controllers': 'cpu memory',
      '/sys/fs/cgroup/cpu.max': '250000 100000\n',
      '/sys/fs/cgroup/memory.max': String(4 * gibibyte),
      '/sys/fs/cgroup/memory.current': String(3 * gibibyte),
      '/sys/fs/cgroup/memory.stat': `anon 1\ninactive_file ${gibibyte}\n`,
    }
    const { devices } = await cpuDevices(null, files({ ...machine, ...container }))
    expect(devices[0]).toMatchObject({
      coreCount: 2,
      totalBytes: 4 * gibibyte,
      limitBytes: Math.floor(2 * gibibyte * 0.7),
    })
  })

  test('that keeps within the tightest of nested groups (version 1)', async () => {
    const groups = {
      '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/outer/inner\n1:cpu,cpuacct:/outer\n0::/\n',
      '/sys/fs/cgroup/memory/outer/inner/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/memory/outer/memory.limit_in_bytes': String(2 * gibibyte),
      '/sys/fs/cgroup/memory/outer/memory.usage_in_bytes': String(gibibyte),
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/cpu/outer/cpu.cfs_quota_us': '50000',
      '/sys/fs/cgroup/cpu/outer/cpu.cfs_period_us': '100000',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000',
    }
    const { devices } = await cpuDevices(null, files({ ...machine, ...groups }))
    expect(devices[0]).toMatchObject({ coreCount: 1, totalBytes: 2 * gibibyte, limitBytes: Math.floor(gibibyte * 0.7) })
  })

  test('on a system that tells nothing', async () => {
    const provider = await cpuDevices(null, () => null)
    const { devices } = provider
    expect(devices[0]!.cores).toEqual([])
    expect(devices[0]!.coreCount).toBeGreaterThanOrEqual(1)
    expect(devices[0]!.limitBytes).toBeGreaterThan(0)
    expect(provider.measure(() => 0)[0]!.memoryUsedBytes).toBeGreaterThan(0)
  })

  test('on this very machine', async () => {
    const { devices } = await cpuDevices(null)
    expect(devices[0]!.totalBytes).toBeGreaterThan(devices[0]!.limitBytes)
  })
})

describe('a file', () => {
  test('declares several devices with cores and limits of their own', async () => {
    const path = await deviceFile([
      { name: 'cpu-a', kind: 'cpu', cores: [0], memoryLimitBytes: 600_000_000 },
      { name: 'cpu-b', kind: 'cpu', memoryLimitBytes: 700_000_000 },
    ])
    const { devices } = await cpuDevices(path, files(machine))
    expect(
      devices.map(({ name, cores, coreCount, limitBytes }) => [name, cores.length, coreCount, limitBytes]),
    ).toEqual([
      ['cpu-a', 1, 1, 600_000_000],
      ['cpu-b', 8, 8, 700_000_000],
    ])
  })

  test.each([
    ['is no list', { name: 'cpu' }, 'file: '],
    ['is empty', [], 'file: '],
    ['has a device without a limit', [{ name: 'a', kind: 'cpu' }], 'entry 0, memoryLimitBytes: '],
    ['has another kind', [{ name: 'a', kind: 'gpu', memoryLimitBytes: 1 }], 'entry 0, kind: must be "cpu"'],
    ['has a misspelt field', [{ name: 'a', kind: 'cpu', core: [0], memoryLimitBytes: 1 }], 'entry 0: '],
    ['has a negative core', [{ name: 'a', kind: 'cpu', cores: [-1], memoryLimitBytes: 1 }], 'entry 0, cores.0: '],
    [
      'has a core that is not there',
      [{ name: 'a', kind: 'cpu', cores: [0, 7], memoryLimitBytes: 1 }],
      'entry 0, cores: 7 cannot be used; this process may run on 0, 1, 2, 3, 6, 8, 9, 10',
    ],
    [
      'has a core twice',
      [{ name: 'a', kind: 'cpu', cores: [0, 0], memoryLimitBytes: 1 }],
      'entry 0, cores: a core is listed twice',
    ],
    [
      'has a name twice',
      [
        { name: 'a', kind: 'cpu', memoryLimitBytes: 1 },
        { name: 'a', kind: 'cpu', memoryLimitBytes: 1 },
      ],
      'entry 1, name: "a" is used twice',
    ],
    [
      'promises more than there is',
      [{ name: 'a', kind: 'cpu', memoryLimitBytes: 17 * gibibyte }],
      'memoryLimitBytes: together the devices promise',
    ],
  ])('that %s is refused with the place', async (_, content, message) => {
    const path = await deviceFile(content)
    await expect(cpuDevices(path, files(machine))).rejects.toThrow(message)
    await expect(cpuDevices(path, files(machine))).rejects.toThrow(path)
  })

  test('that cannot be read is named', async () => {
    await expect(readDeviceFile(join(folder, 'none.json'), { cores: [], totalBytes: 1 })).rejects.toThrow(
      /none\.json cannot be read: ENOENT/,
    )
  })
})

describe('measuring', () => {
  const devices = [
    { name: 'cpu-a', kind: 'cpu', memoryLimitBytes: 6 * gibibyte },
    { name: 'cpu-b', kind: 'cpu', memoryLimitBytes: 2 * gibibyte },
  ]

  test('finds nothing external while what was promised is still there', async () => {
    const provider = await cpuDevices(await deviceFile(devices), files(machine))
    expect(provider.measure(() => 0)).toEqual([
      { memoryUsedBytes: 6 * gibibyte, externalBytes: 0, stallShare: 0 },
      { memoryUsedBytes: 6 * gibibyte, externalBytes: 0, stallShare: 0 },
    ])
  })

  test('shares out what others have taken by what is still promised', async () => {
    const now = { ...machine }
    const provider = await cpuDevices(await deviceFile(devices), (path) => files(now)(path))
    now['/proc/meminfo'] = meminfo(16, 4)
    expect(provider.measure(() => 0).map(({ externalBytes }) => externalBytes / gibibyte)).toEqual([3, 1])
    // What Hearth itself has taken is no longer promised.
    expect(
      provider.measure((name) => (name === 'cpu-a' ? 4 * gibibyte : 0)).map(({ externalBytes }) => externalBytes),
    ).toEqual([0, 0])
  })

  test('tells how much stood still for want of memory, on the machine or in its group', async () => {
    const stalls = (percent: string) =>
      `some avg10=${percent} avg60=0.10 avg300=0.05 total=1\nfull avg10=0.00 total=1\n`
    const group = {
      '/proc/self/cgroup': '0::/service\n',
      '/sys/fs/cgroup/cgroup.controllers': 'memory',
      '/sys/fs/cgroup/service/memory.pressure': stalls('31.50'),
    }
    const alone = await cpuDevices(null, files({ ...machine, '/proc/pressure/memory': stalls('12.25') }))
    const inGroup = await cpuDevices(null, files({ ...machine, ...group, '/proc/pressure/memory': stalls('12.25') }))
    expect(alone.measure(() => 0).map(({ stallShare }) => stallShare)).toEqual([0.1225])
    expect(inGroup.measure(() => 0).map(({ stallShare }) => stallShare)).toEqual([0.315])
  })
})

function files(content: Readonly<Record<string, string>>): ReadSystemFile {
  return (path) => content[path] ?? null
}

function meminfo(totalGibibytes: number, availableGibibytes: number): string {
  const kibibytes = (gibibytes: number) => gibibytes * 1024 * 1024
  return `MemTotal:       ${kibibytes(totalGibibytes)} kB\nMemFree:        1 kB\nMemAvailable:   ${kibibytes(availableGibibytes)} kB\n`
}

let written = 0
async function deviceFile(content: unknown): Promise<string> {
  written += 1
  const path = join(folder, `devices-${written}.json`)
  await writeFile(path, JSON.stringify(content))
  return path
}
