/** Small files of recorded workloads, written for a test. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const folder = mkdtempSync(join(tmpdir(), 'hearth-traces-'))
let count = 0

export function traceFile(lines: readonly string[], options: { readonly isCompressed?: boolean } = {}): string {
  count += 1
  const text = `${lines.join('\n')}\n`
  const path = join(folder, `trace-${count}.csv`)
  writeFileSync(path, options.isCompressed ? gzipSync(text) : text)
  return path
}
