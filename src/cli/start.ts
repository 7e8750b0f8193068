/**
 * `npm start`, after set-up: runs the server in the foreground, then one real job of each starter model, as any client would, and prints the answers
 * and the addresses. `--no-first-job` leaves the jobs out.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { pictureProtocol } from './terminal-pictures.ts'

const readyLine = /^Hearth is ready: (http:\S+)$/
const project = fileURLToPath(new URL('../..', import.meta.url))
// Stripping types and compiling is half of a start; Node keeps the result of the last one here.
const environment = { NODE_COMPILE_CACHE: join(project, '.hearth', 'compile-cache'), ...process.env }
const server = spawn(process.execPath, [join(project, 'src', 'main.ts')], {
  stdio: ['inherit', 'pipe', 'inherit'],
  env: environment,
})

// The terminal signals the whole process group; the server drains and this process ends with it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => server.kill(signal))
server.once('exit', (code, signal) => process.exit(code ?? (signal === null ? 0 : 1)))

createInterface({ input: server.stdout }).on('line', (line) => {
  console.log(line)
  const [, url] = readyLine.exec(line) ?? []
  if (url !== undefined) void greet(url)
})

async function greet(url: string): Promise<void> {
  if (!process.argv.includes('--no-first-job')) {
    // Loaded only now, so that it takes no time from the server's start.
    const { runFirstJobs } = await import('./first-jobs.ts')
    const { stdout } = process
    await runFirstJobs(url, {
      print: (text) => stdout.write(text),
      isTerminal: stdout.isTTY,
      pictures: pictureProtocol(stdout.isTTY, process.env),
    })
  }
  console.log(`
  GraphiQL   ${url}   (open it in a browser; the tabs run as they stand)
  API        ${url}   (POST; subscriptions over WebSocket or SSE)
  health     ${new URL('/healthz', url).href}
  Stop with Ctrl-C: running work is finished or kept, nothing is lost.`)
}
