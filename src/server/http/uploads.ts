/**
 * PUT /uploads: the body is the file, Content-Type its type. Answers 201 with the artifact, whose id jobs take as input. Nothing is held in
 * memory but the piece under way.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { encodeId } from '../../../schema/ids.ts'
import type { App } from '../../app/app.ts'
import type { Overloaded } from '../../app/errors.ts'
import type { Upload } from '../../app/upload.ts'
import type { UploadRefused } from '../../app/upload-content.ts'
import { answerJson, answerProblem, type Problem } from './answers.ts'
import { discardBody } from './body-deadline.ts'
import { readExpectedDigest } from './content-digest.ts'
import { BodyStalled, movingBody } from './moving-body.ts'

export interface UploadDoor {
  readonly app: Pick<App, 'upload' | 'refuseUpload'>
  /** How long a sender may take for the least that it must send. */
  readonly stalledMsMax: number
  /** How long the rest of a body is thrown away after a refusal. */
  readonly discardMsMax: number
}

export async function answerUpload(
  { app, stalledMsMax, discardMsMax }: UploadDoor,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const refuse = (problem: Problem, retryAfterMs: number | null = null) => {
    if (response.destroyed) return
    answerRefusal(response, problem, retryAfterMs)
    discardBody(request, discardMsMax)
  }
  const upload = readUpload(request)
  if ('status' in upload) return refuse(upload)
  const refusal = app.refuseUpload(upload)
  if (refusal) return refuse(problemOf(refusal), retryAfter(refusal))
  // A sender that waits for leave to send gets it only now.
  if (request.headers.expect !== undefined) response.writeContinue()
  const outcome = await app.upload(upload, movingBody(request, stalledMsMax)).catch(stalledOr)
  if (outcome instanceof BodyStalled) {
    const message = `${outcome.message}; nothing of the file is kept. Send it again.`
    return refuse({ status: 408, code: 'BAD_USER_INPUT', message })
  }
  if ('kind' in outcome) return refuse(problemOf(outcome), retryAfter(outcome))
  const { id, sha256, sizeBytes, mimeType, width, height } = outcome
  answerJson(response, 201, 'application/json', {
    id: encodeId('Artifact', id),
    sha256,
    sizeBytes,
    mimeType,
    width,
    height,
  })
}

function stalledOr(error: unknown): BodyStalled {
  if (error instanceof BodyStalled) return error
  throw error
}

function readUpload({ method, headers }: IncomingMessage): Upload | Problem {
  if (method !== 'PUT')
    return { status: 405, code: 'BAD_USER_INPUT', message: 'Upload with PUT; the body is the file.' }
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    return { status: 415, code: 'BAD_USER_INPUT', message: 'Send the file uncompressed: without Content-Encoding.' }
  if (headers['content-range'] !== undefined)
    return { status: 400, code: 'BAD_USER_INPUT', message: 'Send the whole file; parts (Content-Range) are not taken.' }
  const sha256 = readExpectedDigest(headers)
  if (typeof sha256 === 'object' && sha256 !== null)
    return { status: 400, code: 'BAD_USER_INPUT', message: sha256.problem }
  const length = headers['content-length']
  return {
    mimeType: headers['content-type'] ?? null,
    sizeBytes: length === undefined ? null : Number(length),
    sha256,
  }
}

const statuses: Readonly<Record<UploadRefused['reason'], number>> = {
  too_large: 413,
  type: 415,
  content: 422,
  digest: 422,
}

function problemOf(refusal: UploadRefused | Overloaded): Problem {
  if (refusal.kind === 'UploadRefused')
    return { status: statuses[refusal.reason], code: 'BAD_USER_INPUT', message: refusal.message }
  const isFull = refusal.limit === 'disk' || refusal.limit === 'storage'
  return { status: isFull ? 507 : 503, code: 'OVERLOADED', message: refusal.message }
}

function retryAfter(refusal: UploadRefused | Overloaded): number | null {
  return refusal.kind === 'OverloadedError' ? refusal.retryAfterMs : null
}

function answerRefusal(response: ServerResponse, problem: Problem, retryAfterMs: number | null): void {
  if (problem.status === 405) response.setHeader('allow', 'PUT')
  if (retryAfterMs !== null) response.setHeader('retry-after', Math.ceil(retryAfterMs / 1000))
  answerProblem(response, problem)
}
