/**
 * The file that HEARTH_DEVICES names: devices as somebody wants them, e.g. two CPU devices with core sets and memory budgets of their own.
 * `[{"name": "cpu-a", "kind": "cpu", "cores": [0], "memoryLimitBytes": 600000000}, ...]`
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'

const declaration = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must match [a-z0-9][a-z0-9._-]{0,63}'),
  kind: z.literal('cpu', { error: 'must be "cpu"; this version knows no other kind' }),
  /** Left out = all that this process may run on. */
  cores: z.array(z.number().int().min(0)).min(1).optional(),
  memoryLimitBytes: z.number().int().min(1),
})
const declarations = z.array(declaration).min(1)

export type DeviceDeclaration = Readonly<z.infer<typeof declaration>>

export interface Machine {
  /** Cores that this process may run on; empty = not known, so any are believed. */
  readonly cores: readonly number[]
  readonly totalBytes: number
}

/** Throws an Error that names the file and everything wrong in it, by entry and field. */
export async function readDeviceFile(path: string, machine: Machine): Promise<readonly DeviceDeclaration[]> {
  let json: unknown
  try {
    json = JSON.parse(await readFile(path, 'utf8'))
  } catch (error) {
    throw new Error(
      `The device file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    )
  }
  const result = declarations.safeParse(json)
  const problems = result.success
    ? problemsWith(result.data, machine)
    : result.error.issues.map((issue) => `${place(issue.path)}: ${issue.message}`)
  if (!result.success || problems.length > 0)
    throw new Error(`The device file ${path} is not valid:\n  ${problems.join('\n  ')}`)
  return result.data
}

/** What only shows beside the machine, or beside the other entries. */
function problemsWith(devices: readonly DeviceDeclaration[], machine: Machine): string[] {
  const problems: string[] = []
  for (const [index, { name, cores = [] }] of devices.entries()) {
    if (devices.findIndex((other) => other.name === name) !== index)
      problems.push(`entry ${index}, name: ${JSON.stringify(name)} is used twice`)
    if (new Set(cores).size !== cores.length) problems.push(`entry ${index}, cores: a core is listed twice`)
    const missing = machine.cores.length === 0 ? [] : cores.filter((core) => !machine.cores.includes(core))
    if (missing.length > 0)
      problems.push(
        `entry ${index}, cores: ${missing.join(', ')} cannot be used; this process may run on ${machine.cores.join(', ')}`,
      )
  }
  const promisedBytes = devices.reduce((sum, { memoryLimitBytes }) => sum + memoryLimitBytes, 0)
  if (promisedBytes > machine.totalBytes)
    problems.push(
      `memoryLimitBytes: together the devices promise ${promisedBytes} bytes; there are ${machine.totalBytes}`,
    )
  return problems
}

function place(path: readonly PropertyKey[]): string {
  const [entry, ...field] = path
  if (entry === undefined) return 'file'
  return field.length === 0 ? `entry ${String(entry)}` : `entry ${String(entry)}, ${field.map(String).join('.')}`
}
