/**
 * `npm start`, after set-up: runs the server in the foreground, then one real job of each starter model, as any client would, and prints the answers
 * and the addresses. `--no-first-job` leaves the jobs out.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { runFirstJobs } from './first-jobs.ts'

const readyLine = /^Hearth is ready: (http:\S+)$/
const server = spawn(process.execPath, [fileURLToPath(new URL('../main.ts', import.meta.url))], {
  stdio: ['inherit', 'pipe', 'inherit'],
})

// The terminal signals the whole process group; the server drains and this process ends with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal))
server.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)))

createInterface({ input: server.stdout }).on('line', (line) => {
  console.log(line)
  const [, url] = readyLine.exec(line) ?? []
  if (url !== undefined) void greet(url)
})

async function greet(url: string): Promise<void> {
  if (!process.argv.includes('--no-first-job')) await runFirstJobs(url, (text) => process.stdout.write(text))
  console.log(`
  GraphiQL   ${url}   (open it in a browser; the tabs run as they stand)
  API        ${url}   (POST; subscriptions over WebSocket or SSE)
  health     ${new URL('/healthz', url).href}
  Stop with Ctrl-C: running work is finished or kept, nothing is lost.`)
}
