/** What the processor is and can do: Linux tells in /proc/cpuinfo, other systems through Node only its model and cores. */
import { arch, availableParallelism, cpus } from 'node:os'
import { readCpuQuota } from './control-groups.ts'
import { parseCoreList } from './core-list.ts'
import type { ReadSystemFile } from './system-files.ts'

export interface Processor {
  readonly vendor: string | null
  readonly model: string | null
  /** As Node names it: `x64`, `arm64`. */
  readonly architecture: string
  /** Cores that this process may run on; empty where that is not told. */
  readonly cores: readonly number[]
  /** How many of them it may use at once, CPU quota considered; at least 1. */
  readonly coreCount: number
  /** Cores' worth of CPU time that a control group allows; null = no limit. */
  readonly cpuQuota: number | null
  /** Those that matter to inference. */
  readonly instructionSets: readonly string[]
  readonly precisions: readonly string[]
}

export function readProcessor(read: ReadSystemFile): Processor {
  const information = read('/proc/cpuinfo') ?? ''
  const flags = new Set((field(information, 'flags') ?? field(information, 'Features') ?? '').split(' '))
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status') ?? '')?.[1]
  const cores = allowed === undefined ? [] : parseCoreList(allowed)
  const cpuQuota = readCpuQuota(read)
  const usable = cores.length || availableParallelism()
  return {
    vendor: vendorOf(information),
    model: field(information, 'model name') ?? cpus()[0]?.model ?? null,
    architecture: arch(),
    cores,
    // Threads beyond the quota would only be put to sleep in the middle of a step.
    coreCount: Math.max(1, Math.min(usable, cpuQuota === null ? usable : Math.floor(cpuQuota))),
    cpuQuota,
    instructionSets: relevant.filter((name) => flags.has(name)),
    precisions: precisionsOf(flags),
  }
}

const relevant = [
  'sse4_2',
  'avx',
  'f16c',
  'fma',
  'avx2',
  'avx_vnni',
  'avx512f',
  'avx512bw',
  'avx512_vnni',
  'avx512_bf16',
  'avx512_fp16',
  'amx_tile',
  'amx_int8',
  'amx_bf16',
  'asimd',
  'asimdhp',
  'asimddp',
  'sve',
  'sve2',
  'i8mm',
  'bf16',
]

/** fp32 every processor has; the others only where it multiplies in them without converting first. */
function precisionsOf(flags: ReadonlySet<string>): string[] {
  const has = (...names: string[]) => names.some((name) => flags.has(name))
  return [
    'fp32',
    ...(has('avx512_bf16', 'amx_bf16', 'bf16') ? ['bf16'] : []),
    ...(has('avx512_fp16', 'asimdhp') ? ['fp16'] : []),
    ...(has('avx_vnni', 'avx512_vnni', 'amx_int8', 'asimddp', 'i8mm') ? ['int8'] : []),
  ]
}

const vendorNames: Readonly<Record<string, string>> = {
  AuthenticAMD: 'AMD',
  GenuineIntel: 'Intel',
  HygonGenuine: 'Hygon',
  '0x41': 'Arm',
  '0x48': 'HiSilicon',
  '0x51': 'Qualcomm',
  '0x61': 'Apple',
  '0xc0': 'Ampere',
}

function vendorOf(information: string): string | null {
  const id = field(information, 'vendor_id') ?? field(information, 'CPU implementer')
  if (id === null) return cpus()[0]?.model.startsWith('Apple') ? 'Apple' : null
  return vendorNames[id] ?? id
}

function field(information: string, name: string): string | null {
  return new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(information)?.[1]?.trim() ?? null
}
