/** Recorded clusters: one table of nodes, one of pods in the order in which they came. Columns are found by name; others are ignored. */
import type { NodeShape, PodShape } from './cluster.ts'

const nodeColumns = ['cpu_milli', 'memory_mib', 'gpu'] as const
const podColumns = ['cpu_milli', 'mem_mib', 'num_gpu', 'gpu_milli'] as const

/** Whether a file with this header line holds pods. */
export function hasPodColumns(header: string): boolean {
  const columns = header.split(',')
  return podColumns.every((column) => columns.includes(column))
}

export function readNodes(text: string): NodeShape[] {
  return numbersOf(text, nodeColumns).map(([cpuMilli = 0, memoryMib = 0, devices = 0]) => ({
    cpuMilli,
    memoryMib,
    devices,
  }))
}

export function readPods(text: string): PodShape[] {
  return numbersOf(text, podColumns).map(([cpuMilli = 0, memoryMib = 0, devices = 0, deviceMilli = 0]) => ({
    cpuMilli,
    memoryMib,
    devices,
    deviceMilli,
  }))
}

/** Throws with the line number on a row that is broken. */
function numbersOf(text: string, wanted: readonly string[]): number[][] {
  const lines = text.split('\n')
  const header = (lines[0] ?? '').trim().split(',')
  const places = wanted.map((name) => {
    const place = header.indexOf(name)
    if (place < 0) throw new Error(`The table has no column ${name}; it has: ${header.join(', ')}.`)
    return place
  })
  const rows: number[][] = []
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue
    const cells = line.trim().split(',')
    rows.push(places.map((place, column) => numberAt(cells[place], index + 1, wanted[column] ?? '')))
  }
  return rows
}

function numberAt(cell: string | undefined, lineNumber: number, column: string): number {
  const value = cell === undefined || cell === '' ? Number.NaN : Number(cell)
  if (Number.isFinite(value) && value >= 0) return value
  throw new Error(`Line ${lineNumber}: ${column} is ${JSON.stringify(cell ?? null)}; a number from 0 is expected.`)
}
